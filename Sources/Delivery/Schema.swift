public import Storage
public import Trust

/// The tables that this target owns.
public enum DeliverySchema {
    /// The outlets, the queue, and how far the audit streams have come.
    public static let part = MigrationPart(
        "delivery",
        [
            Migration(
                1, "outlets, deliveries and audit streams",
                """
                CREATE TABLE outlet (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    kind TEXT NOT NULL,
                    settings TEXT NOT NULL,
                    secret BYTEA,
                    active BIGINT NOT NULL,
                    created_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                );
                CREATE TABLE delivery (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    lane BYTEA NOT NULL,
                    event TEXT NOT NULL,
                    state TEXT NOT NULL,
                    due BIGINT NOT NULL,
                    claimed_by TEXT,
                    attempts BIGINT NOT NULL,
                    result TEXT,
                    confidential BIGINT NOT NULL,
                    created_at BIGINT NOT NULL,
                    expires_at BIGINT,
                    finished_at BIGINT,
                    payload BYTEA,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX delivery_lane ON delivery (tenant, lane, due) WHERE state = 'waiting';
                CREATE INDEX delivery_open ON delivery (kind, state, created_at) WHERE state IN ('waiting', 'resting');
                CREATE INDEX delivery_state ON delivery (tenant, state, id);
                CREATE INDEX delivery_claim ON delivery (claimed_by) WHERE claimed_by IS NOT NULL;
                CREATE INDEX delivery_created ON delivery (created_at);
                CREATE TABLE audit_stream (
                    tenant BYTEA NOT NULL,
                    outlet BYTEA NOT NULL,
                    position BIGINT NOT NULL,
                    signed_size BIGINT NOT NULL,
                    claimed_by TEXT,
                    claimed_until BIGINT NOT NULL,
                    sent_at BIGINT,
                    failure TEXT,
                    PRIMARY KEY (tenant, outlet)
                )
                """),
            // What was made before has none, and is judged by when it was made.
            Migration(
                2, "since when a delivery waits",
                "ALTER TABLE delivery ADD COLUMN queued_at BIGINT NOT NULL DEFAULT 0"),
        ])

    static let payloadColumn = SealedColumn(table: "delivery", rowColumns: ["id"], column: "payload")
    static let secretColumn = SealedColumn(table: "outlet", rowColumns: ["id"], column: "secret")

    /// The sealed columns, for the key ring.
    public static let sealedColumns = [payloadColumn, secretColumn]

    /// The tables, in the order in which a removed tenant's rows go.
    static let tables = ["audit_stream", "delivery", "outlet"]
}
