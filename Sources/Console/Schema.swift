public import Storage

/// The tables that the console owns: what each visitor has arranged for themselves, and bulk acts.
public enum ConsoleSchema {
    /// Preferences, saved views and bulk acts.
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
                """),
            Migration(
                2, "bulk acts on their way",
                """
                CREATE TABLE console_bulk (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    act TEXT NOT NULL,
                    target TEXT,
                    filter TEXT,
                    total BIGINT NOT NULL,
                    done BIGINT NOT NULL,
                    refused BIGINT NOT NULL,
                    position BYTEA,
                    status TEXT NOT NULL,
                    fault TEXT,
                    began BIGINT NOT NULL,
                    changed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE TABLE console_bulk_refusal (
                    tenant BYTEA NOT NULL,
                    run BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    message TEXT NOT NULL,
                    PRIMARY KEY (tenant, run, device)
                );
                """),
            Migration(
                3, "reports by mail",
                """
                CREATE TABLE console_report (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    report TEXT NOT NULL,
                    period TEXT NOT NULL,
                    recipient BYTEA NOT NULL,
                    created BIGINT NOT NULL,
                    next BIGINT NOT NULL,
                    sent BIGINT,
                    fault TEXT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX console_report_next ON console_report (next);
                """),
        ])
}
