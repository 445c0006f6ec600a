public import Storage
public import Trust

/// The tables of the authorization server.
public enum OAuthSchema {
    /// What programs present is found before a tenant is known, so these are the platform's tables; only the signing
    /// keys are a tenant's, the platform's, because they are sealed.
    public static let part = MigrationPart(
        "oauth",
        [
            Migration(
                1, "clients, codes, families of tokens, signing keys",
                """
                CREATE TABLE oauth_client (
                    id BYTEA NOT NULL PRIMARY KEY,
                    owner BYTEA NOT NULL,
                    principal BYTEA,
                    name TEXT NOT NULL,
                    method TEXT NOT NULL,
                    flows TEXT NOT NULL,
                    redirects TEXT NOT NULL,
                    scope TEXT NOT NULL,
                    secret BYTEA,
                    public_keys TEXT,
                    certificate BYTEA,
                    created BIGINT NOT NULL,
                    ended BIGINT
                );
                CREATE INDEX oauth_client_owner ON oauth_client (owner, id);
                CREATE TABLE oauth_code (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    client TEXT NOT NULL,
                    owner BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    redirect TEXT NOT NULL,
                    challenge TEXT NOT NULL,
                    scope TEXT NOT NULL,
                    nonce TEXT,
                    signed_in BIGINT NOT NULL,
                    expires BIGINT NOT NULL,
                    family BYTEA
                );
                CREATE INDEX oauth_code_expires ON oauth_code (expires);
                CREATE TABLE oauth_connection (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    user_code TEXT NOT NULL UNIQUE,
                    client TEXT NOT NULL,
                    scope TEXT NOT NULL,
                    status TEXT NOT NULL,
                    owner BYTEA,
                    principal BYTEA,
                    address TEXT,
                    made BIGINT NOT NULL,
                    polled BIGINT,
                    pause BIGINT NOT NULL,
                    expires BIGINT NOT NULL
                );
                CREATE INDEX oauth_connection_expires ON oauth_connection (expires);
                CREATE TABLE oauth_family (
                    id BYTEA NOT NULL PRIMARY KEY,
                    client TEXT NOT NULL,
                    owner BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    scope TEXT NOT NULL,
                    made BIGINT NOT NULL,
                    expires BIGINT NOT NULL,
                    ended BIGINT
                );
                CREATE INDEX oauth_family_client ON oauth_family (client, principal);
                CREATE INDEX oauth_family_owner ON oauth_family (owner, principal);
                CREATE INDEX oauth_family_expires ON oauth_family (expires);
                CREATE TABLE oauth_issue (
                    credential BYTEA NOT NULL PRIMARY KEY,
                    family BYTEA NOT NULL REFERENCES oauth_family (id) ON DELETE CASCADE,
                    refresh BYTEA UNIQUE,
                    refresh_expires BIGINT,
                    used BIGINT
                );
                CREATE INDEX oauth_issue_family ON oauth_issue (family);
                CREATE TABLE oauth_assertion (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    expires BIGINT NOT NULL
                );
                CREATE INDEX oauth_assertion_expires ON oauth_assertion (expires);
                CREATE TABLE oauth_key (
                    tenant BYTEA NOT NULL,
                    id TEXT NOT NULL,
                    private_key BYTEA NOT NULL,
                    made BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                """),
            Migration(
                2, "from which network a program waits to be let in",
                """
                ALTER TABLE oauth_connection ADD COLUMN network TEXT NOT NULL DEFAULT '';
                CREATE INDEX oauth_connection_network ON oauth_connection (network, expires);
                """),
        ])

    /// The columns whose values the key ring seals.
    public static let sealedColumns = [keyColumn]

    static let keyColumn = SealedColumn(table: "oauth_key", rowColumns: ["id"], column: "private_key")
}
