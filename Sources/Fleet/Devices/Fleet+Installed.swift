package import Access
package import Base
package import Storage

extension Fleet {
    /// Notes that a device has this version of a component now, because it said so of a task; its present version of it,
    /// if that is known, decides whether that is news.
    package func noteInstalled(
        _ component: Name, _ version: String, on device: DeviceID, of tenant: TenantID, at now: Timestamp,
        replacing isOlder: (_ present: String) throws -> Bool, in transaction: Transaction
    ) throws {
        // It may have been deleted meanwhile.
        guard let old = try DeviceStore.find(.id(device), in: transaction) else { return }
        var device = old
        if let present = old.components[component.text] {
            guard present != version, try isOlder(present) else { return }
        } else if old.components.count >= FleetLimits.components {
            return
        }
        device.components[component.text] = version
        device.changed = now
        device.revision += 1
        try DeviceStore.update(device, from: old, in: transaction)
        announce(device, of: tenant, .updated, in: transaction)
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
        var sql = SQLBuilder()
        let within = try condition(nil, of: tenant, for: principal, &sql, in: transaction) ?? "1 = 1"
        var counts: [Key: Int] = [:]
        // Devices of one make have the same text, so there are few: the engine counts, and few are read.
        try transaction.forEach(
            """
            SELECT d.components, d.model, count(*) FROM device d
            WHERE d.tenant = $1 AND \(within) GROUP BY d.components, d.model
            """, arguments: sql.arguments
        ) { row in
            let model = try row.identifierIfAny(1, as: ModelID.self)
            let devices = try row.int(2)
            for (component, version) in StoredDocument.words(try row.text(0)) {
                counts[Key(component: component, version: version, model: model), default: 0] += devices
            }
        }
        return counts.map {
            InstalledVersion(
                component: $0.key.component, version: $0.key.version, model: $0.key.model, devices: $0.value)
        }
    }

    /// What models are called.
    package func name(ofModel id: ModelID) -> String? { directory.model(id)?.name.text }
}
