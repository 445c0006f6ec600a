public import Access
public import Base
import Fleet
import Storage

/// A task, and whose it is.
public struct NamedTask: Sendable {
    /// The task.
    public let task: DeviceTask
    /// The device's name.
    public let device: Name
}

/// What was said of a task at one time.
public struct TaskStatus: Sendable, Hashable {
    /// When.
    public let time: Timestamp
    /// How the task stood, in the words of whoever said it.
    public let word: String
    /// A number that the device gave with it.
    public let code: Int64?
    /// What the device said beside it.
    public let details: [String]
}

extension Operations {
    /// Which tasks a list holds.
    public enum TaskList: Sendable, Hashable {
        /// Those of an operation.
        case of(OperationID)
        /// Those of a device, named by name or identifier.
        case device(String)
    }

    /// Tasks that the caller may see, the oldest first for an operation, the newest first for a device; with `named` those
    /// of devices with this in their names.
    public func tasks(
        _ list: TaskList, states: Set<TaskState> = [], named: String? = nil, after: TaskID? = nil, limit: Int,
        in tenant: TenantID, by principal: Principal
    ) async throws -> OperationPage<NamedTask> {
        try await database.tenant(tenant).read { transaction in
            var items: [NamedTask] = []
            var last = after
            // Whoever may see few of many devices gets a page that is not full rather than a long wait.
            for _ in 0..<OperationLimits.rounds {
                let wanted = limit - items.count
                let found = try tasks(
                    list, states, named, after: last, wanted + 1, in: tenant, by: principal, transaction)
                let page = found.prefix(wanted)
                let names = try fleet.names(
                    of: page.map(\.device), in: tenant, for: principal, .taskRead, in: transaction)
                items += page.compactMap { task in names[task.device].map { NamedTask(task: task, device: $0) } }
                last = page.last?.id
                if found.count <= wanted { return OperationPage(items: items, next: nil) }
                if items.count == limit { break }
            }
            return OperationPage(items: items, next: last?.text)
        }
    }

    private func tasks(
        _ list: TaskList, _ states: Set<TaskState>, _ named: String?, after: TaskID?, _ limit: Int,
        in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> [DeviceTask] {
        var sql = SQLBuilder()
        var parts: [String]
        let order: String
        switch list {
        case .of(let operation):
            _ = try visible(operation, in: tenant, by: principal, transaction)
            parts = ["t.operation = \(sql.bind(operation))"]
            order = "ASC"
        case .device(let text):
            let device = try fleet.target(text, of: tenant, for: principal, .taskRead, in: transaction)
            parts = ["t.device = \(sql.bind(device))"]
            order = "DESC"
        }
        if !states.isEmpty {
            parts.append("t.state IN (\(states.map(\.rawValue).sorted().map { sql.bind($0) }.joined(separator: ", ")))")
        }
        if let named { parts.append(fleet.named(named, device: "t.device", &sql)) }
        if let after { parts.append("t.id \(order == "ASC" ? ">" : "<") \(sql.bind(after))") }
        return try transaction.rows(
            """
            SELECT \(TaskStore.columns) FROM task t WHERE t.tenant = $1 AND \(parts.joined(separator: " AND "))
            ORDER BY t.id \(order) LIMIT \(sql.bind(limit))
            """, arguments: sql.arguments
        ).map(TaskStore.read)
    }

    /// A task with all that was said of it, the oldest first.
    public func task(
        _ id: TaskID, in tenant: TenantID, by principal: Principal
    ) async throws -> (task: NamedTask, history: [TaskStatus]) {
        try await database.tenant(tenant).read { transaction in
            let task = try visible(id, .taskRead, in: tenant, by: principal, transaction)
            return (task, try TaskStore.history(of: id, in: transaction))
        }
    }

    /// A task to whose device the caller may do this; throws `task.unknown` else.
    func visible(
        _ id: TaskID, _ permission: Permission, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws -> NamedTask {
        try require(.taskRead, of: principal, in: tenant, transaction)
        guard let task = try TaskStore.find(id, in: transaction),
            let name = try fleet.names(of: [task.device], in: tenant, for: principal, .taskRead, in: transaction)[
                task.device]
        else { throw Refusal(.notFound, "task.unknown", "There is no such task, or it is not for you.") }
        if permission != .taskRead {
            _ = try fleet.target(task.device.text, of: tenant, for: principal, permission, in: transaction)
        }
        return NamedTask(task: task, device: name)
    }
}
