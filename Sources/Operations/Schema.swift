public import Storage
public import Trust

/// The tables that this target owns.
///
/// Closed tasks stay until retention takes them; every index that polls, deadlines or lists use holds open ones only, or
/// begins with the operation, so that history costs the living nothing.
public enum OperationsSchema {
    /// Operations, their tasks, and what devices said of them.
    public static let part = MigrationPart(
        "operations",
        [
            Migration(
                1, "operations and tasks",
                """
                CREATE TABLE operation (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    type TEXT NOT NULL,
                    title TEXT NOT NULL,
                    target TEXT NOT NULL,
                    release BYTEA,
                    input BYTEA,
                    terms TEXT NOT NULL,
                    creator BYTEA NOT NULL,
                    creator_name TEXT NOT NULL,
                    state TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    started BIGINT,
                    finished BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX operation_open ON operation (tenant, id) WHERE state IN ('preparing', 'running', 'paused');
                CREATE INDEX operation_over ON operation (finished, tenant, id) WHERE finished IS NOT NULL;
                CREATE TABLE operation_count (
                    tenant BYTEA NOT NULL,
                    operation BYTEA NOT NULL,
                    state BIGINT NOT NULL,
                    tasks BIGINT NOT NULL,
                    PRIMARY KEY (tenant, operation, state)
                );
                CREATE TABLE task (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    device BYTEA NOT NULL,
                    operation BYTEA NOT NULL,
                    type TEXT NOT NULL,
                    state BIGINT NOT NULL,
                    release BYTEA,
                    input BYTEA,
                    attempt BIGINT NOT NULL,
                    created BIGINT NOT NULL,
                    changed BIGINT NOT NULL,
                    due BIGINT NOT NULL,
                    code BIGINT,
                    detail TEXT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX task_open ON task (tenant, device, id) WHERE state < 100;
                CREATE INDEX task_due ON task (due, tenant, id) WHERE state < 100;
                CREATE INDEX task_number_known ON task (tenant, number);
                CREATE INDEX task_of_operation ON task (tenant, operation, state, id);
                CREATE INDEX task_of_device ON task (tenant, device, id);
                CREATE TABLE task_attempt (
                    tenant BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    task BYTEA NOT NULL,
                    PRIMARY KEY (tenant, number)
                );
                CREATE INDEX task_attempt_of ON task_attempt (tenant, task);
                CREATE TABLE task_status (
                    tenant BYTEA NOT NULL,
                    task BYTEA NOT NULL,
                    sequence BIGINT NOT NULL,
                    time BIGINT NOT NULL,
                    word TEXT NOT NULL,
                    code BIGINT,
                    details TEXT NOT NULL,
                    PRIMARY KEY (tenant, task, sequence)
                );
                CREATE TABLE task_number (
                    name TEXT NOT NULL PRIMARY KEY,
                    next BIGINT NOT NULL
                )
                """)
        ])

    /// What tasks bring may be anything, a password too, so all of it is sealed.
    static let operationInput = SealedColumn(table: "operation", rowColumns: ["id"], column: "input")
    static let taskInput = SealedColumn(table: "task", rowColumns: ["id"], column: "input")

    /// The sealed columns, for the key ring.
    public static let sealedColumns = [operationInput, taskInput, MaintenanceSchema.key]

    /// The tables, in the order in which a removed tenant's rows go.
    static let tables = ["task_status", "task_attempt", "task", "operation_count", "operation"]
}
