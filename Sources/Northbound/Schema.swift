public import Storage
public import Trust

/// The tables that this target owns.
public enum NorthboundSchema {
    /// The answers kept for repeated requests.
    public static let part = MigrationPart(
        "northbound",
        [
            Migration(
                1, "answers to repeated requests",
                """
                CREATE TABLE repetition (
                    tenant BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    idempotency_key TEXT NOT NULL,
                    request_hash BYTEA NOT NULL,
                    started_at BIGINT NOT NULL,
                    answer BYTEA,
                    PRIMARY KEY (tenant, principal, idempotency_key)
                );
                CREATE INDEX repetition_started ON repetition (started_at);
                """)
        ])

    /// The columns whose values the key ring seals. Answers are gone after a day, before a rotation would matter.
    public static let sealedColumns = [answerColumn]

    static let answerColumn = SealedColumn(
        table: "repetition", rowColumns: ["principal", "idempotency_key"], column: "answer", rotation: .kept)
}
