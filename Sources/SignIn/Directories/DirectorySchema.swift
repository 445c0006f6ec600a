public import Storage
public import Trust

/// The tables of directories.
public enum DirectorySchema {
    /// Sign-ins that are under way at a provider are the platform's table, found before a tenant is known.
    public static let part = MigrationPart(
        "directories",
        [
            Migration(
                1, "directories, whom they know, what they gave, sign-ins under way",
                """
                CREATE TABLE directory (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    enabled BIGINT NOT NULL,
                    creates BIGINT NOT NULL,
                    links BIGINT NOT NULL,
                    settings TEXT NOT NULL,
                    secret BYTEA,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                );
                CREATE TABLE directory_identity (
                    tenant BYTEA NOT NULL,
                    directory BYTEA NOT NULL,
                    subject TEXT NOT NULL,
                    principal BYTEA NOT NULL,
                    made BIGINT NOT NULL,
                    PRIMARY KEY (tenant, directory, subject)
                );
                CREATE TABLE directory_grant (
                    tenant BYTEA NOT NULL,
                    directory BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    role BYTEA NOT NULL,
                    domain BYTEA NOT NULL,
                    grant_id BYTEA NOT NULL,
                    PRIMARY KEY (tenant, directory, principal, role, domain)
                );
                CREATE TABLE directory_visit (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    browser BYTEA NOT NULL,
                    owner BYTEA NOT NULL,
                    directory BYTEA NOT NULL,
                    nonce TEXT NOT NULL,
                    verifier TEXT NOT NULL,
                    expires BIGINT NOT NULL
                );
                CREATE INDEX directory_visit_expires ON directory_visit (expires);
                """)
        ])

    /// The columns whose values the key ring seals.
    public static let sealedColumns = [secretColumn]

    static let secretColumn = SealedColumn(table: "directory", rowColumns: ["id"], column: "secret")
}
