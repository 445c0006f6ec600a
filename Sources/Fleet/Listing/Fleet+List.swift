public import Access
public import Base
import Storage

extension Fleet {
    /// A page of the devices that the caller may see.
    public func list(_ query: DeviceQuery, in tenant: TenantID, by principal: Principal) async throws -> DevicePage {
        guard (1...FleetLimits.pageSize).contains(query.limit) else {
            throw Refusal(
                .invalid, "limit.invalid", "limit is from 1 to \(FleetLimits.pageSize).",
                faults: [Refusal.Fault(place: "limit", message: "is out of range")])
        }
        let filter = try query.filter.map { text throws(Refusal) in try DeviceFilter(text) }
        let digest = DeviceCursor.digest(
            sort: query.sort,
            filter: (query.filter ?? "") + (query.seenBy ?? "") + (query.livesIn?.text ?? "")
                + (query.position.map { "\($0)" } ?? ""))
        let cursor = try query.cursor.map { text throws(Refusal) in
            try DeviceCursor(text, sort: query.sort, digest: digest)
        }
        return try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let selected = try condition(
                filter, of: tenant, for: principal, seenBy: query.seenBy, &sql, in: transaction)
            // The partial index is asked for by its condition, which holds of every device.
            let placed = query.livesIn.map { "d.revision > 0 AND d.domain = \(sql.bind($0))" }
            let position: String? =
                switch query.position {
                case .within(let box): Self.within(box, &sql)
                case .nowhere: "d.latitude IS NULL"
                case nil: nil
                }
            let both = [placed, position, selected].compactMap { $0 }
            let condition = both.isEmpty ? nil : both.joined(separator: " AND ")
            let unpaged = sql
            let statement = Self.statement(query, condition, cursor, &sql)
            var items: [DevicePage.Item] = []
            let standing = DeviceRow.count + PresenceState.count
            try transaction.forEach(statement, arguments: sql.arguments) { row in
                let device = try DeviceRow.device(row)
                let stored = try PresenceState(row, from: DeviceRow.count)
                items.append(
                    DevicePage.Item(
                        device: device, modelName: device.model.flatMap { directory.model($0)?.name },
                        presence: presence.state(of: device.id, stored: stored),
                        heartbeat: heartbeats.standing(
                            of: device.id, stored: try HeartbeatStanding(row, from: standing)),
                        writtenSeen: stored.lastSeen))
            }
            // One more than asked for was read, to know whether there is a next page.
            let hasMore = items.count > query.limit
            if hasMore { items.removeLast() }
            let next = hasMore ? items.last.map { Self.cursor(after: $0, query.sort).text(digest: digest) } : nil
            let count = try query.counting.count(
                Self.matching(condition), unpaged, whole: cursor == nil && !hasMore ? items.count : nil,
                in: transaction)
            return DevicePage(items: items, next: next, count: count)
        }
    }

    /// How many devices that match the caller may see.
    public func count(filter text: String? = nil, in tenant: TenantID, by principal: Principal) async throws -> Int {
        let filter = try text.map { text throws(Refusal) in try DeviceFilter(text) }
        return try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let condition = try condition(filter, of: tenant, for: principal, &sql, in: transaction)
            return try Counting.all.count(Self.matching(condition), sql, whole: nil, in: transaction)?.number ?? 0
        }
    }

    /// How many devices of each status the caller may see.
    public func countByStatus(in tenant: TenantID, by principal: Principal) async throws -> [DeviceStatus: Int] {
        try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let condition = try condition(nil, of: tenant, for: principal, &sql, in: transaction)
            var counts: [DeviceStatus: Int] = [:]
            for row in try transaction.rows(
                "SELECT d.status, count(*) FROM device d WHERE d.tenant = $1 AND \(condition ?? "1 = 1") GROUP BY d.status",
                arguments: sql.arguments)
            {
                if let status = DeviceStatus(code: try row.integer(0)) { counts[status] = try row.int(1) }
            }
            return counts
        }
    }

    /// How many devices that the caller may see live in each domain itself, not below it.
    public func countByDomain(in tenant: TenantID, by principal: Principal) async throws -> [DomainID: Int] {
        try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let condition = try condition(nil, of: tenant, for: principal, &sql, in: transaction)
            var counts: [DomainID: Int] = [:]
            for row in try transaction.rows(
                """
                SELECT d.domain, count(*) FROM device d
                WHERE d.tenant = $1 AND d.revision > 0 AND \(condition ?? "1 = 1") GROUP BY d.domain
                """, arguments: sql.arguments)
            {
                counts[try row.identifier(0)] = try row.int(1)
            }
            return counts
        }
    }

    /// The names of these devices, of those that the caller may see.
    public func names(
        of devices: some Collection<DeviceID> & Sendable, in tenant: TenantID, by principal: Principal
    ) async throws -> [DeviceID: String] {
        if devices.isEmpty { return [:] }
        return try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let condition = try condition(nil, of: tenant, for: principal, &sql, in: transaction)
            let list = devices.prefix(FleetLimits.pageSize).map { sql.bind($0) }.joined(separator: ", ")
            var names: [DeviceID: String] = [:]
            for row in try transaction.rows(
                """
                SELECT d.id, d.name FROM device d
                WHERE d.tenant = $1 AND d.id IN (\(list)) AND \(condition ?? "1 = 1")
                """, arguments: sql.arguments)
            {
                names[try row.identifier(0)] = try row.text(1)
            }
            return names
        }
    }

    /// What says in SQL that the device of a column has this in its name, in either case.
    package func named(_ part: String, device column: String, _ sql: inout SQLBuilder) -> String {
        // Names are ASCII.
        guard !part.isEmpty, part.utf8.allSatisfy({ $0 > 0 && $0 < 0x80 }) else { return "1 = 0" }
        return """
            EXISTS (SELECT 1 FROM device n WHERE n.tenant = $1 AND n.id = \(column) \
            AND replace(lower(n.name), \(sql.bind(part.lowercased())), '') <> lower(n.name))
            """
    }

    /// What the caller may see and the filter wants; nil when that is everything.
    ///
    /// - Parameter isOfFew: Whether the statement asks it only of devices that it names.
    func condition(
        _ filter: DeviceFilter?, of tenant: TenantID, for principal: Principal, seenBy person: String? = nil,
        isOfFew: Bool = false, _ sql: inout SQLBuilder, in transaction: Transaction
    ) throws -> String? {
        let scope = try access.visibleDevices(principal, .deviceRead, tenant: tenant, in: transaction)
        var parts: [String] = []
        if scope == .some(domains: [], devices: []) {
            throw Refusal(.notFound, "not.found", "There is no such thing, or it is not for you.")
        }
        if let within = Self.condition(scope, &sql) { parts.append(within) }
        if let person {
            let theirs = try access.visibleDevices(
                of: person, .deviceRead, tenant: tenant, by: principal, in: transaction)
            if let within = Self.condition(theirs, &sql) { parts.append(within) }
        }
        if let filter {
            var lookUp = ReferenceLookUp(fleet: self, tenant: tenant, principal: principal)
            let translation = DeviceFilterSQL(
                model: { try ModelStore.find($0, in: transaction)?.id },
                domain: { try lookUp.domain($0, toManage: false, in: transaction) }, isOfFew: isOfFew)
            parts.append(try translation.condition(filter.expression, &sql))
        }
        return parts.isEmpty ? nil : parts.joined(separator: " AND ")
    }

    /// The devices of a scope; nil when they are all.
    static func condition(_ scope: DeviceScope, _ sql: inout SQLBuilder) -> String? {
        guard case .some(let domains, let devices) = scope else { return nil }
        let inDomains = DomainSubtree.condition(roots: Array(domains), &sql)
        if devices.isEmpty { return inDomains }
        let single = devices.map { sql.bind($0) }.joined(separator: ", ")
        return "(\(inDomains) OR d.id IN (\(single)))"
    }

    private static func matching(_ condition: String?) -> String {
        "device d WHERE d.tenant = $1" + (condition.map { " AND \($0)" } ?? "")
    }

    /// The statement of one page: first the keys of its devices, then their rows.
    ///
    /// Each order has an index whose end is the device, so that a page begins with a seek to the cursor. Keys come first
    /// by themselves because an engine that prefers to sort then sorts keys and not whole devices.
    private static func statement(
        _ query: DeviceQuery, _ condition: String?, _ cursor: DeviceCursor?, _ sql: inout SQLBuilder
    ) -> String {
        let order = query.sort.isDescending ? "DESC" : "ASC"
        let beyond = query.sort.isDescending ? "<" : ">"
        var parts = condition.map { [$0] } ?? []
        let source: String
        let key: String
        let device: String
        switch query.sort {
        case .name, .nameDescending:
            (source, key, device) = ("device d WHERE d.tenant = $1", "d.name", "d.id")
            if case .name(let name)? = cursor?.key { parts.append("d.name \(beyond) \(sql.bind(name))") }
        case .created, .createdDescending:
            // A device's identifier begins with the time at which it was made.
            (source, key, device) = ("device d WHERE d.tenant = $1", "d.id", "d.id")
            if let cursor { parts.append("d.id \(beyond) \(sql.bind(cursor.device))") }
        case .lastSeen, .lastSeenDescending:
            (source, key, device) = ("device_presence p WHERE p.tenant = $1", "p.last_seen", "p.device")
            // A set of the devices that match costs one scan; a look-up for each line of presence costs far more.
            parts = parts.map { "p.device IN (SELECT d.id FROM device d WHERE d.tenant = $1 AND \($0))" }
            if let cursor, case .lastSeen(let time) = cursor.key {
                parts.append("(p.last_seen, p.device) \(beyond) (\(sql.bind(time)), \(sql.bind(cursor.device)))")
            }
        }
        let conditions = parts.map { " AND \($0)" }.joined()
        return """
            SELECT \(DeviceRow.columns), \(PresenceState.columns), \(HeartbeatStanding.columns)
            FROM (
                SELECT \(key) AS sort_key, \(device) AS device_key FROM \(source)\(conditions)
                ORDER BY \(key) \(order), \(device) \(order) LIMIT \(sql.bind(query.limit + 1))
            ) k
            JOIN device d ON d.tenant = $1 AND d.id = k.device_key
            JOIN device_presence p ON p.tenant = $1 AND p.device = k.device_key
            \(HeartbeatStanding.join("k.device_key"))
            ORDER BY k.sort_key \(order), k.device_key \(order)
            """
    }

    private static func cursor(after item: DevicePage.Item, _ sort: DeviceSort) -> DeviceCursor {
        switch sort {
        case .name, .nameDescending: DeviceCursor(key: .name(item.device.name.text), device: item.device.id)
        case .created, .createdDescending: DeviceCursor(key: .created, device: item.device.id)
        case .lastSeen, .lastSeenDescending:
            DeviceCursor(key: .lastSeen(item.writtenSeen?.microseconds ?? 0), device: item.device.id)
        }
    }
}
