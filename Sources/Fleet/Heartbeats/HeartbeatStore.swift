import Access
import Base
import Storage

/// The rows of policies and of what became of devices' heartbeats.
enum HeartbeatStore {
    // MARK: - Policies

    /// The kind of a place and its key, as the table has them.
    private static func key(_ place: HeartbeatPlace, of tenant: TenantID) -> (kind: String, key: [UInt8]) {
        switch place {
        case .tenant: ("tenant", tenant.bytes)
        case .domain(let id): ("domain", id.bytes)
        case .device(let id): ("device", id.bytes)
        }
    }

    static func find(
        _ place: HeartbeatPlace, of tenant: TenantID, in transaction: Transaction
    ) throws -> HeartbeatPolicy? {
        let key = key(place, of: tenant)
        return try transaction.row(
            "SELECT policy FROM heartbeat_policy WHERE tenant = $1 AND kind = $2 AND place = $3", key.kind, key.key
        ).map { try policy($0.text(0)) }
    }

    static func write(
        _ policy: HeartbeatPolicy, _ place: HeartbeatPlace, of tenant: TenantID, at now: Timestamp,
        in transaction: Transaction
    ) throws {
        let key = key(place, of: tenant)
        try transaction.execute(
            """
            INSERT INTO heartbeat_policy (tenant, kind, place, policy, changed) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (tenant, kind, place) DO UPDATE SET policy = excluded.policy, changed = excluded.changed
            """, key.kind, key.key, policy.json.canonical, now)
    }

    static func delete(_ place: HeartbeatPlace, of tenant: TenantID, in transaction: Transaction) throws {
        let key = key(place, of: tenant)
        try transaction.execute(
            "DELETE FROM heartbeat_policy WHERE tenant = $1 AND kind = $2 AND place = $3", key.kind, key.key)
    }

    /// Removes the policies of domains that are gone.
    static func deleteOrphans(in transaction: Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM heartbeat_policy WHERE tenant = $1 AND kind = 'domain'
                AND place NOT IN (SELECT d.id FROM domain d WHERE d.tenant = $1)
            """)
    }

    /// A tenant's policies and tree.
    static func policies(in transaction: Transaction) throws -> HeartbeatPolicies {
        var result = HeartbeatPolicies()
        try transaction.forEach("SELECT id, parent FROM domain WHERE tenant = $1") { row in
            let id = try row.identifier(0, as: DomainID.self)
            result.known.insert(id)
            if let parent = try row.identifierIfAny(1, as: DomainID.self) { result.parents[id] = parent }
        }
        try transaction.forEach("SELECT kind, place, policy FROM heartbeat_policy WHERE tenant = $1") { row in
            let policy = try policy(row.text(2))
            switch try row.text(0) {
            case "tenant": result.tenant = policy
            case "domain": result.domains[try row.identifier(1)] = policy
            default: result.devices[try row.identifier(1)] = policy
            }
        }
        return result
    }

    private static func policy(_ text: String) throws -> HeartbeatPolicy {
        do {
            return try HeartbeatPolicy(json: try JSONValue(parsing: Array(text.utf8)))
        } catch {
            throw StorageError(.corrupt, "a heartbeat policy can not be read", cause: error)
        }
    }

    // MARK: - Standings

    /// Every tenant's devices that are late or silent.
    static func missing(in transaction: Transaction) throws -> [DeviceID: HeartbeatState] {
        var states: [DeviceID: HeartbeatState] = [:]
        try transaction.acrossTenants.forEach("SELECT device, state FROM device_heartbeat WHERE state > 0") { row in
            states[try row.identifier(0)] = HeartbeatState(code: try row.integer(1))
        }
        return states
    }

    static func standing(of device: DeviceID, in transaction: Transaction) throws -> HeartbeatStanding {
        try transaction.row(
            "SELECT \(HeartbeatStanding.columns) FROM device_heartbeat h WHERE h.tenant = $1 AND h.device = $2", device
        ).map { try HeartbeatStanding($0, from: 0) } ?? .faultless
    }

    /// Sizes of statements, so that few different texts are prepared.
    private static let sizes = [FleetLimits.presenceRows, FleetLimits.presenceRows / 10, 1]

    /// Writes what changed, in the order of the table's key, hundreds in one statement.
    static func write(_ changes: [HeartbeatChange], in transaction: Transaction) throws {
        var rest = changes[...]
        for size in sizes {
            guard rest.count >= size else { continue }
            let sql = statement(size)
            while rest.count >= size {
                var arguments: [any SQLBindable] = []
                arguments.reserveCapacity(size * 6)
                for (device, change) in rest.prefix(size) {
                    arguments += [
                        change.tenant, device, change.state.code, change.since, change.timesLate, change.timesSilent,
                    ]
                }
                try transaction.execute(sql, arguments: arguments)
                rest = rest.dropFirst(size)
            }
        }
    }

    /// Only for devices that are still there: one that was deleted must not leave a row.
    private static func statement(_ count: Int) -> String {
        let rows = (0..<count).map { row in
            "(" + (1...6).map { "$\(row * 6 + $0)" }.joined(separator: ", ") + ")"
        }
        return """
            INSERT INTO device_heartbeat (tenant, device, state, since, late, silent)
            SELECT v.column1, v.column2, v.column3, v.column4, v.column5, v.column6
            FROM (VALUES \(rows.joined(separator: ", "))) AS v, device d
            WHERE d.tenant = v.column1 AND d.id = v.column2
            ON CONFLICT (tenant, device) DO UPDATE SET state = excluded.state, since = excluded.since,
                late = device_heartbeat.late + excluded.late, silent = device_heartbeat.silent + excluded.silent
            """
    }
}

/// A device and what changed of it.
typealias HeartbeatChange = (device: DeviceID, change: HeartbeatShard.Change)
