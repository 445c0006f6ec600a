import Base
import Bus
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
                await operations.wake.wait(atMost: .seconds(1))
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
                    guard let task = try TaskStore.find(task.id, in: writer.transaction) else { continue }
                    _ = try writer.step(task, .due)
                }
                try writer.finish(board, bus)
            }
        }
        return due.count
    }
}
