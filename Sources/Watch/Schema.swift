public import Storage

/// The tables that this target owns.
public enum WatchSchema {
    /// Alerts, the devices that each is about now, rules, and which rule has told of which alert.
    public static let part = MigrationPart(
        "watch",
        [
            Migration(
                1, "alerts and their rules",
                """
                CREATE TABLE alert (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    subject BYTEA NOT NULL,
                    domain BYTEA NOT NULL,
                    condition TEXT NOT NULL,
                    severity BIGINT NOT NULL,
                    title TEXT NOT NULL,
                    opened BIGINT NOT NULL,
                    silent_since BIGINT,
                    devices BIGINT NOT NULL,
                    missing BIGINT NOT NULL,
                    silent BIGINT NOT NULL,
                    ends BIGINT,
                    acknowledged BIGINT,
                    acknowledged_by TEXT,
                    note TEXT,
                    silenced BIGINT,
                    closed BIGINT,
                    reason TEXT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX alert_open ON alert (tenant, id) WHERE closed IS NULL;
                CREATE INDEX alert_closed ON alert (closed, tenant, id) WHERE closed IS NOT NULL;
                CREATE INDEX alert_subject ON alert (tenant, kind, subject, id);
                CREATE TABLE alert_device (
                    tenant BYTEA NOT NULL,
                    alert BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    PRIMARY KEY (tenant, alert, device)
                );
                CREATE TABLE alert_told (
                    tenant BYTEA NOT NULL,
                    alert BYTEA NOT NULL,
                    rule BYTEA NOT NULL,
                    told BIGINT NOT NULL,
                    receivers BIGINT NOT NULL,
                    PRIMARY KEY (tenant, alert, rule)
                );
                CREATE TABLE alert_rule (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    domain BYTEA NOT NULL,
                    conditions TEXT NOT NULL,
                    severity BIGINT,
                    wait BIGINT NOT NULL,
                    back BIGINT NOT NULL,
                    receivers TEXT NOT NULL,
                    active BIGINT NOT NULL,
                    created BIGINT NOT NULL,
                    changed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                )
                """),
            Migration(
                2, "messages about alerts for which the queue had no room",
                """
                CREATE TABLE alert_owed (
                    tenant BYTEA NOT NULL,
                    alert BYTEA NOT NULL,
                    receiver TEXT NOT NULL,
                    ends BIGINT NOT NULL,
                    rule BYTEA NOT NULL,
                    since BIGINT NOT NULL,
                    PRIMARY KEY (tenant, alert, receiver, ends)
                )
                """),
            Migration(
                3, "about how many an alert was told, and when its devices were silent before",
                """
                ALTER TABLE alert ADD COLUMN was_silent BIGINT;
                ALTER TABLE alert_told ADD COLUMN about BIGINT;
                ALTER TABLE alert_told ADD COLUMN again BIGINT NOT NULL DEFAULT 0
                """),
            Migration(
                4, "what was told by the pause of its campaign",
                "ALTER TABLE alert_told ADD COLUMN covered BIGINT NOT NULL DEFAULT 0"),
        ])

    /// The tables, in the order in which a removed tenant's rows go.
    static let tables = ["alert_owed", "alert_told", "alert_device", "alert", "alert_rule"]
}
