package import Access
package import Base
package import Storage

extension Fleet {
    /// The next of the devices that match and to which the caller may do this, in the order of registration, with their
    /// identifiers only: for those who give work to many.
    package func targets(
        _ filter: DeviceFilter?, in domain: String? = nil, after: DeviceID?, limit: Int, of tenant: TenantID,
        for principal: Principal, _ permission: Permission, in transaction: Transaction
    ) throws -> [DeviceID] {
        var sql = SQLBuilder()
        var parts = try targetConditions(
            filter, in: domain, of: tenant, for: principal, permission, &sql, in: transaction)
        if let after { parts.append("d.id > \(sql.bind(after))") }
        return try transaction.rows(
            """
            SELECT d.id FROM device d
            WHERE d.tenant = $1\(parts.map { " AND \($0)" }.joined()) ORDER BY d.id LIMIT \(sql.bind(limit))
            """, arguments: sql.arguments
        ).map { try $0.identifier(0, as: DeviceID.self) }
    }

    /// What the device `d` must meet to match, and for the caller to do this to it.
    func targetConditions(
        _ filter: DeviceFilter?, in domain: String?, of tenant: TenantID, for principal: Principal,
        _ permission: Permission, isOfFew: Bool = false, _ sql: inout SQLBuilder, in transaction: Transaction
    ) throws -> [String] {
        let selected = try condition(
            filter, of: tenant, for: principal, isOfFew: isOfFew, &sql, in: transaction)
        var parts = [selected].compactMap { $0 }
        let scope = try access.visibleDevices(principal, permission, tenant: tenant, in: transaction)
        if let within = Self.condition(scope, &sql) { parts.append(within) }
        if let domain {
            var lookUp = ReferenceLookUp(fleet: self, tenant: tenant, principal: principal)
            let root = try lookUp.domain(domain, toManage: false, in: transaction)
            parts.append(DomainSubtree.condition(roots: [root], &sql))
        }
        return parts
    }

    /// The names of those of these devices to which the caller may do this.
    package func names(
        of devices: [DeviceID], in tenant: TenantID, for principal: Principal, _ permission: Permission,
        in transaction: Transaction
    ) throws -> [DeviceID: Name] {
        guard !devices.isEmpty else { return [:] }
        var sql = SQLBuilder()
        let scope = try access.visibleDevices(principal, permission, tenant: tenant, in: transaction)
        let within = Self.condition(scope, &sql).map { " AND \($0)" } ?? ""
        let list = Set(devices).map { sql.bind($0) }.joined(separator: ", ")
        var names: [DeviceID: Name] = [:]
        for row in try transaction.rows(
            "SELECT d.id, d.name FROM device d WHERE d.tenant = $1\(within) AND d.id IN (\(list))",
            arguments: sql.arguments)
        {
            names[try row.identifier(0)] = Name(try row.text(1))
        }
        return names
    }

    /// The models of those of these devices that have one.
    package func models(of devices: [DeviceID], in transaction: Transaction) throws -> [DeviceID: Model] {
        var models: [DeviceID: Model] = [:]
        for start in stride(from: 0, to: devices.count, by: 500) {
            var sql = SQLBuilder()
            let list = devices[start..<min(start + 500, devices.count)].map { sql.bind($0) }.joined(separator: ", ")
            try transaction.forEach(
                "SELECT d.id, d.model FROM device d WHERE d.tenant = $1 AND d.model IS NOT NULL AND d.id IN (\(list))",
                arguments: sql.arguments
            ) { row in
                models[try row.identifier(0)] = directory.model(try row.identifier(1))
            }
        }
        return models
    }

    /// The device of this name or identifier, for a caller who may do this to it.
    package func target(
        _ text: String, of tenant: TenantID, for principal: Principal, _ permission: Permission,
        in transaction: Transaction
    ) throws -> DeviceID {
        try device(try Self.reference(text), of: tenant, for: principal, permission, in: transaction).id
    }
}
