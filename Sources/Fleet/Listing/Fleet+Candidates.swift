package import Access
package import Base
package import Storage

/// A device that may get a release, with the version that it is known to have of a component.
package struct InstallCandidate: Sendable, Hashable {
    /// The device.
    package let device: DeviceID
    /// Its version; nil when nobody knows.
    package let version: String?
    /// What releases call its hardware, as its model says; nil when nobody knows.
    package let hardware: String?
}

extension Fleet {
    /// The next of the devices that match and to which the caller may do this, as ``targets(_:in:after:limit:of:for:_:in:)``
    /// finds them, with their versions of a component.
    package func candidates(
        _ filter: DeviceFilter?, within domain: String?, of component: String, after: DeviceID? = nil, limit: Int,
        tenant: TenantID, for principal: Principal, _ permission: Permission, in transaction: Transaction
    ) throws -> [InstallCandidate] {
        var sql = SQLBuilder()
        var parts = try targetConditions(
            filter, in: domain, of: tenant, for: principal, permission, &sql, in: transaction)
        if let after { parts.append("d.id > \(sql.bind(after))") }
        return try Self.read(parts, of: component, "ORDER BY d.id LIMIT \(sql.bind(limit))", sql, in: transaction)
    }

    /// Those of these devices that match and to which the caller may do this, with their versions of a component.
    package func candidates(
        among devices: [DeviceID], _ filter: DeviceFilter? = nil, within domain: String? = nil, of component: String,
        tenant: TenantID, for principal: Principal, _ permission: Permission, in transaction: Transaction
    ) throws -> [InstallCandidate] {
        var found: [InstallCandidate] = []
        for start in stride(from: 0, to: devices.count, by: 500) {
            var sql = SQLBuilder()
            var parts = try targetConditions(
                filter, in: domain, of: tenant, for: principal, permission, isOfFew: true, &sql, in: transaction)
            let list = devices[start..<min(start + 500, devices.count)].map { sql.bind($0) }.joined(separator: ", ")
            parts.append("d.id IN (\(list))")
            found += try Self.read(parts, of: component, "ORDER BY d.id", sql, in: transaction)
        }
        return found
    }

    /// What the device `d` must meet for the caller to do this to it; nil when they may do it to all.
    package func scope(
        _ permission: Permission, of tenant: TenantID, for principal: Principal, _ sql: inout SQLBuilder,
        in transaction: Transaction
    ) throws -> String? {
        Self.condition(
            try access.visibleDevices(principal, permission, tenant: tenant, in: transaction), &sql)
    }

    private static func read(
        _ parts: [String], of component: String, _ end: String, _ sql: SQLBuilder, in transaction: Transaction
    ) throws -> [InstallCandidate] {
        var found: [InstallCandidate] = []
        // Devices of one make have the same text, so few are read.
        var versions: [String: String?] = [:]
        try transaction.forEach(
            """
            SELECT d.id, d.components, m.hardware FROM device d
            LEFT JOIN model m ON m.tenant = $1 AND m.id = d.model
            WHERE d.tenant = $1\(parts.map { " AND \($0)" }.joined()) \(end)
            """, arguments: sql.arguments
        ) { row in
            let text = try row.text(1)
            let version = versions[text] ?? StoredDocument.words(text)[component]
            versions[text] = .some(version)
            found.append(
                InstallCandidate(device: try row.identifier(0), version: version, hardware: try row.textIfAny(2)))
        }
        return found
    }
}
