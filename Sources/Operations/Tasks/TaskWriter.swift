import Base
import Bus
import Storage

/// Takes tasks from state to state in one transaction, and at its end writes what that does to their operations.
///
/// The counts of an operation are kept beside it, so that nobody ever counts its tasks; when none is open any more, the
/// operation is over.
struct TaskWriter {
    let transaction: Transaction
    let tenant: TenantID
    let now: Timestamp
    private var machines: [OperationID: TaskMachine] = [:]
    private var deltas: [OperationID: [TaskState: Int64]] = [:]
    private var changed: [DeviceTask] = []
    /// The installs that have succeeded.
    private(set) var installs: [DeviceTask] = []

    /// A writer for tasks of this tenant.
    init(_ transaction: Transaction, tenant: TenantID, at now: Timestamp) {
        self.transaction = transaction.scoped(to: tenant)
        self.tenant = tenant
        self.now = now
    }

    /// Lets something happen to a task; nil when it says nothing new, or comes too late.
    ///
    /// - Parameter word: What the history says; usually the new state's name when nil.
    mutating func step(
        _ task: DeviceTask, _ event: TaskEvent, word: String? = nil, code: Int64? = nil, details: [String] = []
    ) throws -> DeviceTask? {
        guard var next = try machine(of: task.operation).step(task, event, at: now) else { return nil }
        if next.attempt > task.attempt {
            next.number = try TaskStore.renumber(task, in: transaction)
        }
        if code != nil { next.code = code }
        if let last = details.last { next.detail = last }
        try TaskStore.update(next, in: transaction)
        try TaskStore.note(
            word ?? event.word(from: task.state, to: next.state), code: code, details: details, of: task.id, at: now,
            in: transaction)
        deltas[task.operation, default: [:]][task.state, default: 0] -= 1
        deltas[task.operation, default: [:]][next.state, default: 0] += 1
        changed.append(next)
        if next.type == .install, next.state == .succeeded { try TaskStore.noteLast(next, in: transaction) }
        if next.state == .succeeded, next.release != nil { installs.append(next) }
        return next
    }

    /// New tasks of an operation.
    mutating func insert(_ new: [(task: DeviceTask, input: [UInt8]?)]) throws {
        try TaskStore.insert(new, in: transaction)
        let tasks = new.map(\.task)
        for task in tasks { deltas[task.operation, default: [:]][task.state, default: 0] += 1 }
        changed += tasks
    }

    /// Writes the operations' counts; after the commit the board has the tasks, and those who watch hear of it.
    func finish(_ board: TaskBoard, _ bus: Bus) throws {
        guard !changed.isEmpty else { return }
        for (operation, states) in deltas.sorted(by: { $0.key < $1.key }) {
            for (state, delta) in states.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where delta != 0 {
                try transaction.execute(
                    """
                    INSERT INTO operation_count (tenant, operation, state, tasks) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (tenant, operation, state) DO UPDATE SET tasks = operation_count.tasks + excluded.tasks
                    """, operation, state.rawValue, delta)
            }
            try transaction.execute(
                """
                UPDATE operation SET started = COALESCE(started, $3) WHERE tenant = $1 AND id = $2 AND started IS NULL
                AND EXISTS (SELECT 1 FROM operation_count c WHERE c.tenant = $1 AND c.operation = $2 AND c.state > 0
                    AND c.tasks > 0)
                """, operation, now)
            try transaction.execute(
                """
                UPDATE operation SET finished = $3, state = CASE state WHEN 'cancelled' THEN state ELSE 'finished' END
                WHERE tenant = $1 AND id = $2 AND state <> 'preparing' AND finished IS NULL AND NOT EXISTS (
                    SELECT 1 FROM operation_count c WHERE c.tenant = $1 AND c.operation = $2 AND c.state < 100
                    AND c.tasks > 0)
                """, operation, now)
        }
        let (tenant, tasks, operations) = (tenant, changed, Set(deltas.keys))
        transaction.afterCommit {
            board.post(tasks)
            bus.publish(TasksChanged(tenant: tenant, operations: operations))
            for task in tasks where task.state == .queued || task.state == .cancelling || board.followed(task) {
                bus.publish(TaskPosted(tenant: tenant, device: task.device))
            }
        }
    }

    private mutating func machine(of operation: OperationID) throws -> TaskMachine {
        if let known = machines[operation] { return known }
        let found = try OperationStore.machine(of: operation, in: transaction)
        machines[operation] = found
        return found
    }
}

extension TaskEvent {
    /// What the history says of a task that was ended while a device had it, and that did not say what it made of that.
    static let unanswered = "unanswered"

    /// What the history says of what it does.
    fileprivate func word(from old: TaskState, to new: TaskState) -> String {
        switch self {
        case .due where new == .queued && old == .queued: "postponed"
        case .due where new == .cancelled, .cancel(force: true) where old.isWithDevice: Self.unanswered
        default: new.name
        }
    }
}
