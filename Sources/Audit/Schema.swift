public import Storage
public import Trust

/// The tables that this target owns.
///
/// Rows of the log are only ever inserted, and removed by retention from the oldest end. The dialect that both engines
/// share has no triggers that could refuse anything else, and a trigger would stop nobody who can reach the database
/// directly: it is the hash tree that finds a changed row.
public enum AuditSchema {
    /// Pending entries, the log, its tree, its checkpoints and the keys that sign them.
    public static let part = MigrationPart(
        "audit",
        [
            Migration(
                1, "the log, its tree and its checkpoints",
                """
                CREATE TABLE audit_pending (
                    tenant BYTEA NOT NULL,
                    time BIGINT NOT NULL,
                    id BYTEA NOT NULL,
                    code TEXT NOT NULL,
                    outcome TEXT NOT NULL,
                    actor_kind TEXT NOT NULL,
                    actor_id TEXT NOT NULL,
                    actor_credential TEXT,
                    actor_home BYTEA,
                    object_kind TEXT NOT NULL,
                    object_id TEXT NOT NULL,
                    domain BYTEA,
                    sealed BYTEA,
                    PRIMARY KEY (tenant, time, id)
                );
                CREATE TABLE audit_entry (
                    tenant BYTEA NOT NULL,
                    position BIGINT NOT NULL,
                    leaf BYTEA NOT NULL,
                    time BIGINT NOT NULL,
                    id BYTEA NOT NULL,
                    code TEXT NOT NULL,
                    outcome TEXT NOT NULL,
                    actor_kind TEXT NOT NULL,
                    actor_id TEXT NOT NULL,
                    actor_credential TEXT,
                    actor_home BYTEA,
                    object_kind TEXT NOT NULL,
                    object_id TEXT NOT NULL,
                    domain BYTEA,
                    sealed BYTEA,
                    PRIMARY KEY (tenant, position)
                );
                CREATE INDEX audit_entry_time ON audit_entry (tenant, time, position);
                CREATE INDEX audit_entry_code ON audit_entry (tenant, code, time, position);
                CREATE INDEX audit_entry_actor ON audit_entry (tenant, actor_id, time, position);
                CREATE INDEX audit_entry_object ON audit_entry (tenant, object_kind, object_id, time, position);
                CREATE INDEX audit_entry_refused ON audit_entry (tenant, outcome, time, position)
                    WHERE outcome <> 'success';
                CREATE TABLE audit_head (
                    tenant BYTEA NOT NULL,
                    turn BIGINT NOT NULL,
                    size BIGINT NOT NULL,
                    frontier BYTEA NOT NULL,
                    kept_from BIGINT NOT NULL,
                    signed_size BIGINT NOT NULL,
                    anchored_size BIGINT NOT NULL,
                    anchored_at BIGINT NOT NULL,
                    PRIMARY KEY (tenant)
                );
                CREATE TABLE audit_tile (
                    tenant BYTEA NOT NULL,
                    level BIGINT NOT NULL,
                    position BIGINT NOT NULL,
                    hashes BYTEA NOT NULL,
                    PRIMARY KEY (tenant, level, position)
                );
                CREATE TABLE audit_checkpoint (
                    tenant BYTEA NOT NULL,
                    size BIGINT NOT NULL,
                    made_at BIGINT NOT NULL,
                    note TEXT NOT NULL,
                    PRIMARY KEY (tenant, size)
                );
                CREATE TABLE audit_signer (
                    tenant BYTEA NOT NULL,
                    verifier TEXT NOT NULL,
                    private_key BYTEA NOT NULL,
                    created_at BIGINT NOT NULL,
                    PRIMARY KEY (tenant, verifier)
                )
                """),
            Migration(
                2, "what was done by one credential",
                """
                CREATE INDEX audit_entry_credential ON audit_entry (tenant, actor_credential, time, position)
                    WHERE actor_credential IS NOT NULL;
                """),
        ])

    static let personalColumn = SealedColumn(
        table: "audit_entry", rowColumns: ["id"], column: "sealed", rotation: .kept)
    private static let pendingColumn = SealedColumn(
        table: "audit_pending", rowColumns: ["id"], column: "sealed", rotation: .kept)
    static let signerColumn = SealedColumn(table: "audit_signer", rowColumns: ["verifier"], column: "private_key")

    /// The sealed columns, for the key ring.
    public static let sealedColumns = [personalColumn, pendingColumn, signerColumn]
}
