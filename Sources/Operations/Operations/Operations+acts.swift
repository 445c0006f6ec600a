public import Access
import Audit
public import Base
import Bus
import Fleet
import Storage

extension Operations {
    /// Ends what is still open of an operation: what waits at once, what a device has when the device says so, or at
    /// once with `force`. Only tasks of devices that the caller may manage are ended; when all are, the operation is.
    public func cancel(
        _ id: OperationID, force: Bool, in tenant: TenantID, by principal: Principal
    ) async throws -> Operation {
        let ended = try await step(
            id, states: TaskState.allCases.filter(\.isOpen), .cancel(force: force), in: tenant, by: principal)
        return try await close(id, .operationCancelled, ended, in: tenant, by: principal) { transaction in
            // What may not be touched by this caller keeps the operation under way.
            try transaction.execute(
                """
                UPDATE operation SET state = 'cancelled' WHERE tenant = $1 AND id = $2
                AND state IN ('running', 'paused') AND NOT EXISTS (
                    SELECT 1 FROM operation_count c WHERE c.tenant = $1 AND c.operation = $2 AND c.state < 4
                    AND c.tasks > 0)
                """, id)
            // The writer takes an operation whose last task ended for finished.
            try transaction.execute(
                """
                UPDATE operation SET state = 'cancelled' WHERE tenant = $1 AND id = $2 AND state = 'finished'
                AND EXISTS (
                    SELECT 1 FROM operation_count c WHERE c.tenant = $1 AND c.operation = $2
                    AND c.state = \(TaskState.cancelled.rawValue) AND c.tasks > 0)
                """, id)
        }
    }

    /// Tries the failed tasks of an operation again, those alone, under new numbers.
    public func retry(_ id: OperationID, in tenant: TenantID, by principal: Principal) async throws -> Operation {
        let began = clock.now
        let again = try await step(
            id, states: TaskState.allCases.filter(\.isFailure), .retry, in: tenant, by: principal)
        guard again > 0 else {
            throw Refusal(.conflict, "operation.noFailures", "No task of this operation has failed that you may retry.")
        }
        return try await close(id, .operationRetried, again, in: tenant, by: principal) { [wake, bus] transaction in
            try transaction.execute(
                """
                UPDATE operation SET state = 'running', finished = NULL
                WHERE tenant = $1 AND id = $2 AND state IN ('finished', 'cancelled')
                """, id)
            transaction.afterCommit {
                bus.publish(OperationRetried(tenant: tenant, operation: id, time: began))
                wake.ring()
            }
        }
    }

    /// Gives out nothing more of an operation until it is resumed; what devices have begun goes on.
    public func setPaused(
        _ isPaused: Bool, _ id: OperationID, in tenant: TenantID, by principal: Principal
    ) async throws -> Operation {
        let (operation, isNews) = try await database.tenant(tenant).write { transaction in
            let operation = try managed(id, in: tenant, by: principal, transaction)
            if !isPaused, let campaign = try goingCampaign(ofGroup: id, in: transaction) {
                try requireAll(campaign, .taskInstall, in: tenant, by: principal, transaction)
            }
            let (from, to): (Operation.State, Operation.State) = isPaused ? (.running, .paused) : (.paused, .running)
            if operation.state == to { return (operation, false) }
            guard operation.state == from else {
                throw Refusal(
                    .conflict, "operation.state",
                    "The operation is \(operation.state.rawValue); only one that is \(from.rawValue) can be \(isPaused ? "paused" : "resumed")."
                )
            }
            try transaction.execute(
                "UPDATE operation SET state = $3 WHERE tenant = $1 AND id = $2", id, to.rawValue)
            try record(
                isPaused ? .operationPaused : .operationResumed, id, of: tenant, by: principal.actor(in: tenant),
                in: transaction)
            transaction.afterCommit { [self] in
                holds.setPaused(isPaused, id)
                applyHolds()
                bus.publish(TasksChanged(tenant: tenant, operations: [id]))
            }
            return (try OperationStore.find(id, in: transaction) ?? operation, true)
        }
        if isNews, !isPaused { try await giveTime(to: id, operation.terms, in: tenant) }
        return operation
    }

    /// Gives what waits of an operation that was resumed some time at least: while it was held nobody could come for it.
    func giveTime(to id: OperationID, _ terms: OperationTerms, in tenant: TenantID) async throws {
        let end = terms.opening(from: clock.now) + .seconds(min(terms.life, OperationLimits.timeAfterPause))
        var given = 0
        repeat {
            given = try await database.tenant(tenant).write { transaction in
                try transaction.execute(
                    """
                    UPDATE task SET due = $3 WHERE tenant = $1 AND id IN (
                        SELECT t.id FROM task t WHERE t.tenant = $1 AND t.operation = $2
                        AND t.state = \(TaskState.queued.rawValue) AND t.due < $3 LIMIT \(OperationLimits.tasksAtOnce))
                    """, id, end)
            }
        } while given == OperationLimits.tasksAtOnce
    }

    /// Ends one task.
    public func cancel(
        task id: TaskID, force: Bool, in tenant: TenantID, by principal: Principal
    ) async throws -> NamedTask {
        try await database.tenant(tenant).write { [board, bus, clock] transaction in
            let found = try visible(id, .taskManage, in: tenant, by: principal, transaction)
            guard found.task.state.isOpen else {
                throw Refusal(.conflict, "task.over", "The task is over already: it is \(found.task.state.name).")
            }
            var writer = TaskWriter(transaction, tenant: tenant, at: clock.now)
            let next = try writer.step(found.task, .cancel(force: force))
            try writer.finish(board, bus)
            try audit.record(
                AuditEntry(
                    .taskCancelled, tenant: tenant, actor: principal.actor(in: tenant),
                    object: AuditObject(kind: "task", id: id.text),
                    details: ["device": .string(found.device.text), "force": .bool(force)]),
                in: transaction)
            return NamedTask(task: next ?? found.task, device: found.device)
        }
    }

    /// An operation that the caller may act on; what it does to each device is asked with the device.
    private func managed(
        _ id: OperationID, in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> Operation {
        let operation = try visible(id, in: tenant, by: principal, transaction)
        try require(.taskManage, of: principal, in: tenant, transaction)
        guard operation.state != .preparing else {
            throw Refusal(.conflict, "operation.state", "The operation is being prepared; try again in a moment.")
        }
        return operation
    }

    /// Lets the same happen to all tasks of an operation in these states whose devices the caller may manage, some
    /// thousand at a time; answers to how many it did.
    private func step(
        _ id: OperationID, states: [TaskState], _ event: TaskEvent, in tenant: TenantID, by principal: Principal
    ) async throws -> Int {
        var (after, done): (TaskID?, Int) = (nil, 0)
        let list = states.map { "\($0.rawValue)" }.joined(separator: ", ")
        while true {
            let from = after
            let step = try await database.tenant(tenant).write { [board, bus, clock] transaction in
                let operation = try managed(id, in: tenant, by: principal, transaction)
                var sql = SQLBuilder()
                let place = sql.bind(id)
                let beyond = from.map { " AND t.id > \(sql.bind($0))" } ?? ""
                let tasks = try transaction.rows(
                    """
                    SELECT \(TaskStore.columns) FROM task t
                    WHERE t.tenant = $1 AND t.operation = \(place) AND t.state IN (\(list))\(beyond)
                    ORDER BY t.id LIMIT \(sql.bind(OperationLimits.tasksAtOnce))
                    """, arguments: sql.arguments
                ).map(TaskStore.read)
                var allowed = Set(
                    try fleet.names(
                        of: tasks.map(\.device), in: tenant, for: principal, .taskManage, in: transaction
                    ).keys)
                if event == .retry {
                    try keepRetriable(&allowed, of: operation, in: tenant, by: principal, transaction)
                }
                var writer = TaskWriter(transaction, tenant: tenant, at: clock.now)
                var count = 0
                for task in tasks where allowed.contains(task.device) {
                    if try writer.step(task, event) != nil { count += 1 }
                }
                try writer.finish(board, bus)
                if event == .retry { try CampaignStore.holdAgainst(count, ofGroup: id, in: transaction) }
                return (count: count, last: tasks.last?.id)
            }
            done += step.count
            guard let last = step.last else { return done }
            after = last
        }
    }

    /// Leaves those of these devices on which an operation may be tried again: a group of a campaign takes what the
    /// campaign takes, and nobody gets an earlier release by it than they have by now, or one for other hardware.
    private func keepRetriable(
        _ devices: inout Set<DeviceID>, of operation: Operation, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws {
        if try goingCampaign(ofGroup: operation.id, in: transaction) != nil {
            try require(.taskInstall, of: principal, in: tenant, transaction)
            devices.formIntersection(
                try fleet.names(
                    of: Array(devices), in: tenant, for: principal, .taskInstall, in: transaction
                ).keys)
        }
        let (newer, misfits) = try unsuited(
            to: operation.release, Array(devices), isRollback: try RollbackGrant.has(operation.id, in: transaction),
            of: tenant, in: transaction)
        devices.subtract(newer.union(misfits))
    }

    private func close(
        _ id: OperationID, _ code: AuditCode, _ count: Int, in tenant: TenantID, by principal: Principal,
        _ change: @escaping @Sendable (Transaction) throws -> Void
    ) async throws -> Operation {
        try await database.tenant(tenant).write { transaction in
            try change(transaction)
            try record(
                code, id, of: tenant, by: principal.actor(in: tenant), details: ["tasks": .integer(Int64(count))],
                in: transaction)
            guard let operation = try OperationStore.find(id, in: transaction) else { throw Self.unknown }
            transaction.afterCommit { [bus] in bus.publish(TasksChanged(tenant: tenant, operations: [id])) }
            return operation
        }
    }
}
