public import Access
public import Base
public import Storage

/// What is done to many devices alike.
public enum BulkChange: Sendable, Hashable {
    /// Keeps them out until they are resumed.
    case suspend
    /// Lets suspended ones in again.
    case resume
    /// Keeps them out for good.
    case revoke
    /// Puts them into a domain, named by identifier or path.
    case move(to: String)
}

/// Which devices a bulk act takes next.
public struct BulkRange: Sendable, Hashable {
    /// A ``DeviceFilter``; nil takes all.
    public var filter: String?
    /// Only these, when they are named.
    public var devices: [DeviceID]?
    /// Behind this device in the order of registration.
    public var after: DeviceID?
    /// Not behind this one: what is registered meanwhile is left alone.
    public var until: DeviceID?

    /// Devices that match, from the first.
    public init(filter: String? = nil, devices: [DeviceID]? = nil, after: DeviceID? = nil, until: DeviceID? = nil) {
        (self.filter, self.devices, self.after, self.until) = (filter, devices, after, until)
    }
}

/// What came of one step of a bulk act.
public struct BulkStep: Sendable, Hashable {
    /// One device that it was refused for.
    public struct Refused: Sendable, Hashable {
        /// Which.
        public let device: DeviceID
        /// Its name.
        public let name: String
        /// Why.
        public let message: String
    }

    /// How many it was done to.
    public let done: Int
    /// The others, with the reason.
    public let refused: [Refused]
    /// The last device of the step; nil when there was none left.
    public let last: DeviceID?
    /// Whether no device is left behind it.
    public let isEnd: Bool
}

extension Fleet {
    /// Does it to the next devices of a range in one transaction, in which `note` keeps how far it came: after a crash
    /// either both are there or neither. A device that it is refused for does not stop the others.
    public func step(
        _ change: BulkChange, _ range: BulkRange, limit: Int, in tenant: TenantID, by principal: Principal,
        note: @escaping @Sendable (BulkStep, Transaction) throws -> Void = { _, _ in }
    ) async throws -> BulkStep {
        let filter = try range.filter.map { text throws(Refusal) in try DeviceFilter(text) }
        let limit = min(max(limit, 1), FleetLimits.bulkStep)
        return try await writing(tenant) { transaction in
            var sql = SQLBuilder()
            let selected = try condition(filter, of: tenant, for: principal, &sql, in: transaction)
            var parts = [selected].compactMap { $0 }
            if let devices = range.devices {
                guard !devices.isEmpty else { return BulkStep(done: 0, refused: [], last: nil, isEnd: true) }
                parts.append("d.id IN (\(devices.map { sql.bind($0) }.joined(separator: ", ")))")
            }
            if let after = range.after { parts.append("d.id > \(sql.bind(after))") }
            if let until = range.until { parts.append("d.id <= \(sql.bind(until))") }
            let rows = try transaction.rows(
                """
                SELECT d.id, d.name FROM device d
                WHERE d.tenant = $1\(parts.map { " AND \($0)" }.joined()) ORDER BY d.id LIMIT \(limit)
                """, arguments: sql.arguments
            ).map { (id: try $0.identifier(0, as: DeviceID.self), name: try $0.text(1)) }
            var done = 0
            var refused: [BulkStep.Refused] = []
            for row in rows {
                do {
                    try make(change, .id(row.id), in: tenant, by: principal, transaction)
                    done += 1
                } catch let refusal as Refusal where refusal.code != "signin.stepUp" {
                    // What asks for a proof of who one is stops it all: the next device would be refused alike.
                    refused.append(.init(device: row.id, name: row.name, message: refusal.message))
                }
            }
            let step = BulkStep(done: done, refused: refused, last: rows.last?.id, isEnd: rows.count < limit)
            try note(step, transaction)
            return step
        }
    }

    /// Every refusal is decided before anything of the device is written.
    private func make(
        _ change: BulkChange, _ device: DeviceReference, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws {
        switch change {
        case .suspend:
            _ = try self.change(device, .deviceManage, .suspended, nil, in: tenant, by: principal, transaction)
        case .resume: _ = try self.change(device, .deviceManage, nil, nil, in: tenant, by: principal, transaction)
        case .revoke:
            _ = try self.change(device, .deviceRevoke, .revoked, nil, in: tenant, by: principal, transaction)
        case .move(let domain):
            var move = DeviceChange()
            move.domain = domain
            _ = try update(device, move, in: tenant, by: principal, transaction)
        }
    }
}
