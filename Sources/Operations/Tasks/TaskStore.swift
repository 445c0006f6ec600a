import Base
import Fleet
import Storage

/// Tasks between their tables and memory; every call runs in a tenant's transaction.
enum TaskStore {
    static let columns =
        "t.id, t.number, t.device, t.operation, t.type, t.state, t.release, t.attempt, t.created, t.changed, t.due, t.code, t.detail"

    static func find(_ id: TaskID, in transaction: Transaction) throws -> DeviceTask? {
        try transaction.row("SELECT \(columns) FROM task t WHERE t.tenant = $1 AND t.id = $2", id).map(read)
    }

    /// The task that has this number now, or had it at an earlier attempt.
    static func find(number: Int64, in transaction: Transaction) throws -> DeviceTask? {
        if let task = try transaction.row(
            "SELECT \(columns) FROM task t WHERE t.tenant = $1 AND t.number = $2", number)
        {
            return try read(task)
        }
        return try transaction.row(
            """
            SELECT \(columns) FROM task_attempt a JOIN task t ON t.tenant = a.tenant AND t.id = a.task
            WHERE a.tenant = $1 AND a.number = $2
            """, number
        ).map(read)
    }

    /// Those of these devices that have as many open tasks as one may have.
    static func full(among devices: [DeviceID], in transaction: Transaction) throws -> Set<DeviceID> {
        var full: Set<DeviceID> = []
        for start in stride(from: 0, to: devices.count, by: OperationLimits.membersAtOnce) {
            var sql = SQLBuilder()
            let some = devices[start..<min(start + OperationLimits.membersAtOnce, devices.count)]
            let list = some.map { sql.bind($0) }.joined(separator: ", ")
            try transaction.forEach(
                """
                SELECT t.device FROM task t WHERE t.tenant = $1 AND t.device IN (\(list)) AND t.state < 100
                GROUP BY t.device HAVING count(*) >= \(OperationLimits.openTasks)
                """, arguments: sql.arguments
            ) { full.insert(try $0.identifier(0)) }
        }
        return full
    }

    /// Gives a task that is tried again a number of its own; whoever still holds the former one is understood.
    static func renumber(_ task: DeviceTask, in transaction: Transaction) throws -> Int64 {
        try transaction.execute(
            "INSERT INTO task_attempt (tenant, number, task) VALUES ($1, $2, $3)", task.number, task.id)
        return try TaskNumber.take(1, in: transaction.acrossTenants).first ?? task.number
    }

    /// Writes new tasks, each with what it alone brings, sealed.
    static func insert(_ tasks: [(task: DeviceTask, input: [UInt8]?)], in transaction: Transaction) throws {
        try transaction.insert(
            into: "task",
            columns: [
                "id", "number", "device", "operation", "type", "state", "release", "input", "attempt", "created",
                "changed", "due",
            ],
            rows: tasks.map { task, input in
                [
                    task.id.sqlValue, task.number.sqlValue, task.device.sqlValue, task.operation.sqlValue,
                    task.type.rawValue.sqlValue, task.state.rawValue.sqlValue, task.release.sqlValue,
                    input.sqlValue, Int64(task.attempt).sqlValue, task.created.sqlValue,
                    task.changed.sqlValue, task.due.sqlValue,
                ]
            })
    }

    /// Notes the task with which a device installed something last.
    static func noteLast(_ task: DeviceTask, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO last_install (tenant, device, number) VALUES ($1, $2, $3)
            ON CONFLICT (tenant, device) DO UPDATE SET number = excluded.number
            WHERE last_install.number < excluded.number
            """, task.device, task.number)
    }

    /// Writes what can change of a task.
    static func update(_ task: DeviceTask, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE task SET number = $3, state = $4, attempt = $5, changed = $6, due = $7, code = $8, detail = $9
            WHERE tenant = $1 AND id = $2
            """, task.id, task.number, task.state.rawValue, task.attempt, task.changed, task.due, task.code,
            task.detail)
    }

    /// Keeps what a device, a person or the clock said of a task; beyond the bound only the newest stays beside the
    /// first ones.
    static func note(
        _ word: String, code: Int64? = nil, details: [String] = [], of task: TaskID, at time: Timestamp,
        in transaction: Transaction
    ) throws {
        let last =
            try transaction.row("SELECT max(sequence) FROM task_status WHERE tenant = $1 AND task = $2", task)?
            .integerIfAny(0) ?? 0
        let most = Int64(OperationLimits.keptStatuses)
        if last >= most {
            try transaction.execute(
                "DELETE FROM task_status WHERE tenant = $1 AND task = $2 AND sequence > $3", task, most - 1)
        }
        try transaction.execute(
            """
            INSERT INTO task_status (tenant, task, sequence, time, word, code, details)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, task, last + 1, time, word, code, JSONValue.array(details.map { .string($0) }).canonical)
    }

    /// What was said of a task last.
    static func lastWord(of task: TaskID, in transaction: Transaction) throws -> String? {
        try transaction.row(
            "SELECT word FROM task_status WHERE tenant = $1 AND task = $2 ORDER BY sequence DESC LIMIT 1", task
        )?.text(0)
    }

    static func history(of task: TaskID, in transaction: Transaction) throws -> [TaskStatus] {
        try transaction.rows(
            "SELECT time, word, code, details FROM task_status WHERE tenant = $1 AND task = $2 ORDER BY sequence", task
        ).map { row in
            var details: [String] = []
            if case .array(let texts) = try JSONValue(parsing: Array(try row.text(3).utf8)) {
                details = texts.compactMap(\.string)
            }
            return TaskStatus(
                time: try row.timestamp(0), word: try row.text(1), code: try row.integerIfAny(2), details: details)
        }
    }

    static func read(_ row: Row) throws -> DeviceTask {
        guard let type = TaskType(rawValue: try row.text(4)), let state = TaskState(rawValue: try row.integer(5)) else {
            throw StorageError(.corrupt, "a task's row is not readable")
        }
        return DeviceTask(
            id: try row.identifier(0), number: try row.integer(1), device: try row.identifier(2),
            operation: try row.identifier(3), type: type, state: state, release: try row.identifierIfAny(6),
            attempt: try row.int(7), created: try row.timestamp(8), changed: try row.timestamp(9),
            due: try row.timestamp(10), code: try row.integerIfAny(11), detail: try row.textIfAny(12))
    }
}
