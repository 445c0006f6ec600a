public import Access
import Audit
public import Base
import Fleet
import Storage

extension Operations {
    /// Orders work; answers when every device's task is on disk.
    ///
    /// Rights are asked for with each device: those to which the caller may not give such a task are left out of a
    /// filter or domain, and refuse a list. Tasks are made some thousand at a time and given out together at the end; an
    /// order that the server's stop cut short is ended as a whole.
    public func order(_ order: OperationOrder, in tenant: TenantID, by principal: Principal) async throws -> Operation {
        let now = clock.now
        try order.check(now: now)
        let filter: DeviceFilter? =
            if case .filter(let text?) = order.target { try DeviceFilter(text) } else { nil }
        let id = OperationID(now: now)
        if order.terms.confirm { board.ask(for: [id]) }
        let operation = Operation(
            id: id, type: order.type, title: order.title ?? order.type.rawValue, target: order.target.json,
            release: order.release, terms: order.terms, creator: principal.id,
            creatorName: principal.name, state: .preparing, created: now, started: nil, finished: nil, counts: [:])
        try await database.tenant(tenant).write { transaction in
            try require(order.type.permission, of: principal, in: tenant, transaction)
            if let release = order.release {
                try requirePublished(release, in: transaction)
                try requireFew(order.target, in: transaction)
            }
            let open =
                try transaction.row(
                    """
                    SELECT count(*) FROM operation WHERE tenant = $1 AND state IN ('preparing', 'running', 'paused')
                    """)?.int(0) ?? 0
            guard open < OperationLimits.openOperations else {
                throw Refusal(
                    .limited, "operation.tooMany",
                    "\(OperationLimits.openOperations) operations are under way already; wait for some, or end them.")
            }
            let input = try seal(order.input, operation: id, of: tenant, in: transaction)
            try OperationStore.insert(operation, input: input, in: transaction)
            if order.isRollback { try RollbackGrant.give(id, in: transaction) }
        }
        do {
            var position = Position()
            while try await prepare(order, operation, filter, &position, in: tenant, by: principal) {}
            return try await begin(operation, position, in: tenant, by: principal)
        } catch {
            // Nobody gets half of an order.
            try? await remove(id, in: tenant)
            throw error
        }
    }

    /// How far the tasks of an order have been made.
    private struct Position {
        var after: DeviceID?
        var index = 0
        /// The devices of a list so far.
        var seen: Set<DeviceID> = []
        /// Devices that were left out because they have a later release.
        var newer = 0
        /// Devices that were left out because the release is not for their hardware.
        var misfits = 0
        /// Devices that were left out because they have as many tasks as one may have.
        var full = 0
    }

    /// Makes the next tasks; false when there are no more devices.
    private func prepare(
        _ order: OperationOrder, _ operation: Operation, _ filter: DeviceFilter?, _ position: inout Position,
        in tenant: TenantID, by principal: Principal
    ) async throws -> Bool {
        let from = position
        let limit = OperationLimits.tasksAtOnce
        let made = try await database.tenant(tenant).write { [board, bus, clock] transaction in
            let now = clock.now
            var devices: [(id: DeviceID, input: JSONValue?)] = []
            var seen = from.seen
            switch order.target {
            case .filter, .domain:
                var domain: String?
                if case .domain(let text) = order.target { domain = text }
                devices = try fleet.targets(
                    filter, in: domain, after: from.after, limit: limit, of: tenant, for: principal,
                    order.type.permission, in: transaction
                ).map { ($0, nil) }
            case .devices(let named):
                for (index, one) in zip(named.indices, named).dropFirst(from.index).prefix(limit) {
                    let device = try fleet.target(
                        one.device, of: tenant, for: principal, order.type.permission, in: transaction)
                    guard seen.insert(device).inserted else {
                        throw Refusal.faulty(
                            "operation.invalid", "The operation",
                            [.init(place: "/target/devices/\(index)", message: "is named already")])
                    }
                    devices.append((device, one.input))
                }
            }
            let (count, last) = (devices.count, devices.last?.id)
            try fill(order, &devices, from: from.index + 1, in: transaction)
            if order.type == .custom { try requireFit(order.input, of: devices, in: transaction) }
            let (newer, misfits) = try unsuited(
                to: order.release, devices.map(\.id), isRollback: order.isRollback, of: tenant, in: transaction)
            if case .devices = order.target {
                if !misfits.isEmpty { throw try misfit(of: misfits, for: principal, tenant, in: transaction) }
                if !newer.isEmpty { throw try downgrade(of: newer, for: principal, tenant, in: transaction) }
            }
            devices.removeAll { newer.contains($0.id) || misfits.contains($0.id) }
            let full = try TaskStore.full(among: devices.map(\.id), in: transaction)
            if case .devices = order.target, !full.isEmpty { throw Self.full(full.count) }
            devices.removeAll { full.contains($0.id) }
            let numbers = try TaskNumber.take(devices.count, in: transaction.acrossTenants)
            let tasks = try zip(devices, numbers).map { device, number in
                let task = DeviceTask(
                    id: TaskID(now: now), number: number, device: device.id, operation: operation.id,
                    type: order.type, state: .waiting, release: order.release, attempt: 1, created: now, changed: now,
                    due: Timestamp(microseconds: .max), code: nil, detail: nil)
                return (
                    task: task,
                    input: try device.input.flatMap { try seal($0, task: task.id, of: tenant, in: transaction) }
                )
            }
            var writer = TaskWriter(transaction, tenant: tenant, at: now)
            try writer.insert(tasks)
            try writer.finish(board, bus)
            return (
                count: count, last: last, seen: seen, newer: newer.subtracting(misfits).count,
                misfits: misfits.count, full: full.count
            )
        }
        position.newer += made.newer
        position.misfits += made.misfits
        position.full += made.full
        position.seen = made.seen
        position.after = made.last
        position.index += made.count
        if case .devices(let named) = order.target { return position.index < named.count }
        return made.count == limit
    }

    /// Lets an order begin: its tasks wait for its start, or are queued at once.
    private func begin(
        _ operation: Operation, _ position: Position, in tenant: TenantID, by principal: Principal
    ) async throws -> Operation {
        try await database.tenant(tenant).write { transaction in
            let now = clock.now
            let counts = try OperationStore.counts(of: [operation.id], in: transaction)[operation.id] ?? [:]
            guard let total = counts[.waiting], total > 0 else {
                let all = position.misfits + position.newer + position.full
                guard position.misfits == 0 else { throw Self.misfit(Self.having(position.misfits, of: all)) }
                guard position.newer == 0 else { throw Self.downgrade(Self.having(position.newer, of: all)) }
                guard position.full == 0 else { throw Self.full(position.full) }
                throw Refusal(
                    .invalid, "operation.nothing",
                    "No device matches to which you may give such a task; choose others.")
            }
            try transaction.execute(
                "UPDATE task SET due = $3 WHERE tenant = $1 AND operation = $2 AND state = 0", operation.id,
                operation.terms.starts ?? now)
            try transaction.execute(
                "UPDATE operation SET state = 'running' WHERE tenant = $1 AND id = $2", operation.id)
            try record(
                .operationOrdered, operation.id, of: tenant, by: principal.actor(in: tenant),
                details: [
                    "type": .string(operation.type.rawValue), "title": .string(operation.title),
                    "target": operation.target, "devices": .integer(Int64(total)),
                    "rollback": .bool(try RollbackGrant.has(operation.id, in: transaction)),
                ], in: transaction)
            transaction.afterCommit { [self] in
                holds.setWindows(operation.terms.windows, of: operation.id)
                applyHolds()
                wake.ring()
            }
            return try OperationStore.find(operation.id, in: transaction) ?? operation
        }
    }

    /// Refuses installs past a second person: to many devices they go by a campaign, which another one approves.
    private func requireFew(_ target: OperationTarget, in transaction: Transaction) throws {
        guard try needsSecondForCampaigns(in: transaction) else { return }
        if case .devices(let named) = target, named.count <= OperationLimits.unapprovedInstalls { return }
        throw Refusal(
            .conflict, "campaign.needed",
            "Here another person must approve what is installed on more than \(OperationLimits.unapprovedInstalls) devices, or on those of a filter or domain: order a campaign."
        )
    }

    private static func full(_ devices: Int) -> Refusal {
        Refusal(
            .limited, "task.tooMany",
            "\(devices) of these devices have \(OperationLimits.openTasks) open tasks each already; wait for some, or end them."
        )
    }

    /// Removes the orders that the server's stop cut short.
    func endUnprepared() async throws {
        let cut = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows("SELECT tenant, id FROM operation WHERE state = 'preparing'").map {
                (tenant: try $0.identifier(0, as: TenantID.self), id: try $0.identifier(1, as: OperationID.self))
            }
        }
        for order in cut { try await remove(order.id, in: order.tenant) }
    }
}
