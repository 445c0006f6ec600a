import Base
import Bus
import Fleet
public import Logging
public import ServiceLifecycle
import Storage

/// Lets the deadlines of tasks come: starts, ends, time-outs.
public struct TaskClock: Service {
    private let operations: Operations
    private let logger: Logger

    /// The clock of these operations' tasks.
    public init(_ operations: Operations, logger: Logger = Logger(label: "tidegate.operations")) {
        self.operations = operations
        self.logger = logger
    }

    /// Works until the server stops.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    while try await operations.turn() >= OperationLimits.dueAtOnce, !Task.isCancelled {}
                } catch {
                    logger.warning("deadlines of tasks wait for the database", metadata: ["error": "\(error)"])
                }
                await operations.wake.wait(.seconds(1))
            }
        }
    }
}

extension Operations {
    /// Lets the deadlines come that have passed; answers how many there were.
    @discardableResult
    func turn() async throws -> Int {
        applyHolds()
        try await endTasksOfDeleted()
        let count = try await letDeadlinesCome()
        // Last, so that a campaign that can not be judged holds up no deadline.
        try await turnCampaigns()
        return count
    }

    private func letDeadlinesCome() async throws -> Int {
        let now = clock.now
        let due = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows(
                """
                SELECT tenant, id FROM task WHERE state < 100 AND due <= $1
                ORDER BY due, tenant, id LIMIT \(OperationLimits.dueAtOnce)
                """, now
            ).map { (tenant: try $0.identifier(0, as: TenantID.self), id: try $0.identifier(1, as: TaskID.self)) }
        }
        guard !due.isEmpty else { return 0 }
        for (tenant, tasks) in Dictionary(grouping: due, by: \.tenant).sorted(by: { $0.key < $1.key }) {
            try await database.platform.write { [board, bus] transaction in
                var writer = TaskWriter(transaction, tenant: tenant, at: now)
                for task in tasks {
                    guard let task = try TaskStore.find(task.id, in: writer.transaction),
                        let next = try writer.step(task, .due)
                    else { continue }
                    if next.type == .wake, next.state == .queued { try wakeByText(next, of: tenant, at: now, writer) }
                }
                try writer.finish(board, bus)
            }
        }
        return due.count
    }

    /// Has a device that holds no connection called by a text message, if it has a number; its history tells.
    ///
    /// What may not be given out now costs no message: the device would call in for nothing.
    private func wakeByText(
        _ task: DeviceTask, of tenant: TenantID, at now: Timestamp, _ writer: TaskWriter
    ) throws {
        let transaction = writer.transaction
        guard let text, !holds.held(at: now).contains(task.operation),
            let number = try fleet.textNumber(of: task.device, in: transaction)
        else { return }
        do {
            try text(number, task.due, tenant, transaction)
            try TaskStore.note("texted", of: task.id, at: now, in: transaction)
        } catch let refusal as Refusal {
            try TaskStore.note("notTexted", details: [refusal.message], of: task.id, at: now, in: transaction)
        }
    }
}
