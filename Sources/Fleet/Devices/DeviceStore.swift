import Base
import Storage

/// The rows of devices and what hangs on them; every call runs in a tenant's transaction.
enum DeviceStore {
    static func find(_ reference: DeviceReference, in transaction: Transaction) throws -> Device? {
        let row =
            switch reference {
            case .id(let id):
                try transaction.row("SELECT \(DeviceRow.columns) FROM device d WHERE d.tenant = $1 AND d.id = $2", id)
            case .name(let name):
                try transaction.row(
                    "SELECT \(DeviceRow.columns) FROM device d WHERE d.tenant = $1 AND d.name = $2", name)
            }
        return try row.map { try DeviceRow.device($0) }
    }

    /// Those of these devices that are there.
    static func devices(_ ids: [DeviceID], in transaction: Transaction) throws -> [DeviceID: Device] {
        guard !ids.isEmpty else { return [:] }
        var sql = SQLBuilder()
        let list = ids.map { sql.bind($0) }.joined(separator: ", ")
        var devices: [DeviceID: Device] = [:]
        try transaction.forEach(
            "SELECT \(DeviceRow.columns) FROM device d WHERE d.tenant = $1 AND d.id IN (\(list))",
            arguments: sql.arguments
        ) { row in
            let device = try DeviceRow.device(row)
            devices[device.id] = device
        }
        return devices
    }

    static func presence(of device: DeviceID, in transaction: Transaction) throws -> PresenceState {
        try transaction.row(
            "SELECT \(PresenceState.columns) FROM device_presence p WHERE p.tenant = $1 AND p.device = $2", device
        ).map { try PresenceState($0, from: 0) } ?? .never
    }

    static func count(in transaction: Transaction) throws -> Int {
        try transaction.row("SELECT count(*) FROM device WHERE tenant = $1").map { try $0.int(0) } ?? 0
    }

    /// Writes new devices with their labels and presence; their names must be free.
    static func insert(_ devices: [Device], in transaction: Transaction) throws {
        try transaction.insert(into: "device", columns: DeviceRow.names, rows: devices.map(DeviceRow.values))
        try insertLabels(of: devices, in: transaction)
        try transaction.insert(
            into: "device_presence",
            columns: [
                "device", "online", "last_seen", "connected", "disconnected", "connections", "protocol", "address",
            ],
            rows: devices.map {
                [$0.id.sqlValue, .integer(0), .integer(0), .integer(0), .integer(0), .integer(0), .text(""), .text("")]
            })
    }

    private static func insertLabels(of devices: [Device], in transaction: Transaction) throws {
        var labels: [(key: String, value: String, device: DeviceID)] = []
        for device in devices {
            for (key, value) in device.labels { labels.append((key, value, device.id)) }
        }
        // In the order of the index, because many rows at random places cost a page each.
        labels.sort { ($0.key, $0.value, $0.device) < ($1.key, $1.value, $1.device) }
        try transaction.insert(
            into: "device_label", columns: ["key", "value", "device"],
            rows: labels.map { [.text($0.key), .text($0.value), $0.device.sqlValue] })
    }

    /// Writes a device's new state over `old`; the revision guards against a change in between.
    static func update(_ device: Device, from old: Device, in transaction: Transaction) throws {
        let assignments = DeviceRow.names.enumerated().dropFirst().map { "\($1) = $\($0 + 2)" }
        try transaction.execute(
            "UPDATE device SET \(assignments.joined(separator: ", ")) WHERE tenant = $1 AND id = $2",
            arguments: DeviceRow.values(device))
        for (key, value) in old.labels where !has(device.labels, key, value) {
            try transaction.execute(
                "DELETE FROM device_label WHERE tenant = $1 AND key = $2 AND value = $3 AND device = $4", key, value,
                device.id)
        }
        var fresh = device
        fresh.labels = device.labels.filter { !has(old.labels, $0.key, $0.value) }
        if !fresh.labels.isEmpty { try insertLabels(of: [fresh], in: transaction) }
    }

    private static func has(_ labels: [String: String], _ key: String, _ value: String) -> Bool {
        labels[key]?.hasSameBytes(as: value) ?? false
    }

    static func delete(_ device: Device, in transaction: Transaction) throws {
        for (key, value) in device.labels {
            try transaction.execute(
                "DELETE FROM device_label WHERE tenant = $1 AND key = $2 AND value = $3 AND device = $4", key, value,
                device.id)
        }
        for table in [
            "device_presence", "enrolment_token", "device_access_token", "device_document", "device_event",
            "device_failure", "device_heartbeat",
        ] {
            try transaction.execute("DELETE FROM \(table) WHERE tenant = $1 AND device = $2", device.id)
        }
        try transaction.execute(
            "DELETE FROM heartbeat_policy WHERE tenant = $1 AND kind = 'device' AND place = $2", device.id)
        try LayerStore.delete(.device(device.id), in: transaction)
        try transaction.execute("DELETE FROM device WHERE tenant = $1 AND id = $2", device.id)
    }
}
