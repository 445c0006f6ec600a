package import Access
package import Base
package import Storage

extension Fleet {
    /// Notes that a device has this version of a component now, because it said so of a task; its present version of it,
    /// if that is known, decides whether that is news. Answers whether it was.
    @discardableResult
    package func noteInstalled(
        _ component: Name, _ version: String, on device: DeviceID, of tenant: TenantID, at now: Timestamp,
        replacing isOlder: (_ present: String) throws -> Bool, in transaction: Transaction
    ) throws -> Bool {
        // It may have been deleted meanwhile.
        guard let old = try DeviceStore.find(.id(device), in: transaction) else { return false }
        var device = old
        if let present = old.components[component.text] {
            guard present != version, try isOlder(present) else { return false }
        } else if old.components.count >= FleetLimits.components {
            return false
        }
        device.components[component.text] = version
        device.changed = now
        device.revision += 1
        try DeviceStore.update(device, from: old, in: transaction)
        announce(device, of: tenant, .updated, in: transaction)
        return true
    }
}

/// How many devices of one model have a version of a component.
package struct InstalledVersion: Sendable, Hashable {
    /// The component.
    package let component: String
    /// The version.
    package let version: String
    /// The model; nil is of devices without one.
    package let model: ModelID?
    /// How many devices have it.
    package let devices: Int
}

extension Fleet {
    /// The versions of all components by model, of the devices that the caller may see.
    package func installedVersions(
        of tenant: TenantID, for principal: Principal, in transaction: Transaction
    ) throws -> [InstalledVersion] {
        struct Key: Hashable {
            let component: String
            let version: String
            let model: ModelID?
        }
        var counts: [Key: Int] = [:]
        var words: [String: [String: String]] = [:]
        for line in try lines(of: tenant, for: principal, in: transaction) {
            let versions = words[line.components] ?? StoredDocument.words(line.components)
            words[line.components] = versions
            for (component, version) in versions {
                counts[Key(component: component, version: version, model: line.model), default: 0] += line.devices
            }
        }
        return counts.map {
            InstalledVersion(
                component: $0.key.component, version: $0.key.version, model: $0.key.model, devices: $0.value)
        }
    }

    /// How many of the devices that the caller may see have which components.
    private func lines(
        of tenant: TenantID, for principal: Principal, in transaction: Transaction
    ) throws -> [VersionCounts.Line] {
        var sql = SQLBuilder()
        let within = try condition(nil, of: tenant, for: principal, &sql, in: transaction)
        let scope = try access.visibleDevices(principal, .deviceRead, tenant: tenant, in: transaction)
        // Single devices are few, and are counted by themselves.
        if case .some(_, let devices) = scope, !devices.isEmpty {
            return try Self.count(within, sql, in: transaction)
        }
        var lines: [VersionCounts.Line]
        if let known = versionCounts.lines(of: tenant) {
            lines = known
        } else {
            lines = try Self.count(nil, SQLBuilder(), in: transaction)
            versionCounts.keep(lines, of: tenant, readAt: transaction.began)
        }
        if case .some(let domains, _) = scope {
            let seen = try DomainSubtree.identifiers(roots: domains, in: transaction)
            lines.removeAll { !seen.contains($0.domain) }
        }
        return lines
    }

    /// Devices of one make have the same text, so there are few: the engine counts, and few are read.
    private static func count(
        _ within: String?, _ sql: SQLBuilder, in transaction: Transaction
    ) throws -> [VersionCounts.Line] {
        var lines: [VersionCounts.Line] = []
        try transaction.forEach(
            """
            SELECT d.domain, d.model, d.components, count(*) FROM device d
            WHERE d.tenant = $1 AND \(within ?? "1 = 1") GROUP BY d.components, d.model, d.domain
            """, arguments: sql.arguments
        ) { row in
            lines.append(
                VersionCounts.Line(
                    domain: try row.identifier(0), model: try row.identifierIfAny(1), components: try row.text(2),
                    devices: try row.int(3)))
        }
        return lines
    }

    /// What models are called.
    package func name(ofModel id: ModelID) -> String? { directory.model(id)?.name.text }
}
