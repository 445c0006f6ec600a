import Base
import Storage

/// Operations between their tables and memory; every call runs in a tenant's transaction.
enum OperationStore {
    static let columns =
        "o.id, o.type, o.title, o.target, o.release, o.terms, o.creator, o.creator_name, o.state, o.created, o.started, o.finished"

    static func insert(_ operation: Operation, input: [UInt8]?, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO operation (tenant, id, type, title, target, release, input, terms, creator, creator_name, state,
                created)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """, operation.id, operation.type.rawValue, operation.title, operation.target.canonical, operation.release,
            input, operation.terms.json.canonical, operation.creator, operation.creatorName,
            operation.state.rawValue, operation.created)
    }

    static func find(_ id: OperationID, in transaction: Transaction) throws -> Operation? {
        let row = try transaction.row("SELECT \(columns) FROM operation o WHERE o.tenant = $1 AND o.id = $2", id)
        return try row.map { try read($0, counts: try counts(of: [id], in: transaction)[id] ?? [:]) }
    }

    /// What becomes of the tasks of an operation as it stands.
    static func machine(of id: OperationID, in transaction: Transaction) throws -> TaskMachine {
        guard let row = try transaction.row("SELECT terms, state FROM operation WHERE tenant = $1 AND id = $2", id)
        else { throw StorageError(.corrupt, "a task's operation is not there") }
        return TaskMachine(
            terms: OperationTerms(stored: try JSONValue(parsing: Array(try row.text(0).utf8))),
            isPaused: try row.text(1) == Operation.State.paused.rawValue)
    }

    /// How many tasks of each operation are in each state.
    static func counts(
        of ids: [OperationID], in transaction: Transaction
    ) throws -> [OperationID: [TaskState: Int]] {
        guard !ids.isEmpty else { return [:] }
        let list = ids.indices.map { "$\($0 + 2)" }.joined(separator: ", ")
        var counts: [OperationID: [TaskState: Int]] = [:]
        for row in try transaction.rows(
            """
            SELECT operation, state, tasks FROM operation_count
            WHERE tenant = $1 AND operation IN (\(list)) AND tasks > 0
            """, arguments: ids)
        {
            guard let state = TaskState(rawValue: try row.integer(1)) else { continue }
            counts[try row.identifier(0), default: [:]][state] = try row.int(2)
        }
        return counts
    }

    static func read(_ row: Row, counts: [TaskState: Int]) throws -> Operation {
        guard let type = TaskType(rawValue: try row.text(1)), let state = Operation.State(rawValue: try row.text(8))
        else { throw StorageError(.corrupt, "an operation's row is not readable") }
        return Operation(
            id: try row.identifier(0), type: type, title: try row.text(2),
            target: try JSONValue(parsing: Array(try row.text(3).utf8)), release: try row.identifierIfAny(4),
            terms: OperationTerms(stored: try JSONValue(parsing: Array(try row.text(5).utf8))),
            creator: try row.identifier(6), creatorName: try row.text(7), state: state, created: try row.timestamp(9),
            started: try row.timestampIfAny(10), finished: try row.timestampIfAny(11), counts: counts)
    }
}
