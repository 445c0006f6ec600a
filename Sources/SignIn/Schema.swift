public import Storage

/// The tables of accounts and sign-in.
public enum SignInSchema {
    /// Links and waiting sign-ins are the platform's tables, found before a tenant is known; all else is a tenant's.
    public static let part = MigrationPart(
        "sign-in",
        [
            Migration(
                1, "accounts, links, waiting sign-ins, sessions and policies",
                """
                CREATE TABLE account (
                    tenant BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    address TEXT NOT NULL,
                    display_name TEXT NOT NULL,
                    status TEXT NOT NULL,
                    password TEXT,
                    password_set BIGINT,
                    must_change BIGINT NOT NULL,
                    address_ranges TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    last_sign_in BIGINT,
                    PRIMARY KEY (tenant, principal),
                    UNIQUE (tenant, address)
                );
                CREATE INDEX account_address ON account (address);
                CREATE TABLE account_link (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    id BYTEA NOT NULL UNIQUE,
                    owner BYTEA NOT NULL,
                    principal BYTEA,
                    purpose TEXT NOT NULL,
                    made BIGINT NOT NULL,
                    expires BIGINT NOT NULL,
                    ended BIGINT
                );
                CREATE INDEX account_link_owner ON account_link (owner, principal);
                CREATE INDEX account_link_expires ON account_link (expires);
                CREATE TABLE pending_sign_in (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    owner BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    satisfied TEXT NOT NULL,
                    address TEXT,
                    user_agent TEXT,
                    made BIGINT NOT NULL,
                    expires BIGINT NOT NULL
                );
                CREATE INDEX pending_sign_in_owner ON pending_sign_in (owner, principal);
                CREATE INDEX pending_sign_in_expires ON pending_sign_in (expires);
                CREATE TABLE sign_in_session (
                    tenant BYTEA NOT NULL,
                    credential BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    factors TEXT NOT NULL,
                    opened BIGINT NOT NULL,
                    proved BIGINT NOT NULL,
                    PRIMARY KEY (tenant, credential)
                );
                CREATE INDEX sign_in_session_principal ON sign_in_session (tenant, principal);
                CREATE INDEX sign_in_session_opened ON sign_in_session (opened);
                CREATE TABLE sign_in_policy (
                    tenant BYTEA NOT NULL,
                    profile TEXT NOT NULL,
                    idle_minutes BIGINT NOT NULL,
                    session_hours BIGINT NOT NULL,
                    address_ranges TEXT NOT NULL,
                    PRIMARY KEY (tenant)
                );
                """),
            Migration(
                2, "whether the log has told that a session ended",
                """
                ALTER TABLE sign_in_session ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;
                CREATE INDEX sign_in_session_open ON sign_in_session (opened) WHERE closed = 0;
                """),
        ])
}
