import Base
import Storage

/// Removes the rows of a tenant that was deleted.
enum TenantPurge {
    /// Removes some thousand devices with all that hangs on them, then the rest; false when nothing is left.
    static func step(_ transaction: Transaction) throws -> Bool {
        if try EventStore.trim(before: Timestamp(microseconds: .max), in: transaction) > 0 { return true }
        let rows = try transaction.rows("SELECT id FROM device WHERE tenant = $1 ORDER BY id LIMIT 2000")
        if let last = rows.last {
            let end = try last.blob(0)
            for (table, column) in [
                ("device_presence", "device"), ("device_failure", "device"), ("device_heartbeat", "device"),
                ("device_document", "device"),
                ("enrolment_token", "device"),
                ("device_access_token", "device"), ("device", "id"),
            ] {
                try transaction.execute("DELETE FROM \(table) WHERE tenant = $1 AND \(column) <= $2", end)
            }
            return true
        }
        try transaction.execute("DELETE FROM hardware_identifier WHERE owner = $1")
        for table in [
            "device_label", "heartbeat_policy", "gateway_token", "desired_refresh", "desired_layer",
            "desired_edit_device",
            "desired_edit", "model_version", "model",
        ] {
            try transaction.execute("DELETE FROM \(table) WHERE tenant = $1")
        }
        return false
    }
}
