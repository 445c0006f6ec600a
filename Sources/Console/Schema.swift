public import Storage

/// The tables that the console owns: what each visitor has arranged for themselves.
public enum ConsoleSchema {
    /// Preferences and saved views.
    public static let part = MigrationPart(
        "console",
        [
            Migration(
                1, "preferences and saved views",
                """
                CREATE TABLE console_preference (
                    tenant BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (tenant, principal, name)
                );
                CREATE TABLE console_view (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    query TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX console_view_owner ON console_view (tenant, principal, created);
                """)
        ])
}
