import Fleet

/// Which desired document the device of a session has, which one is on its way, and which it is still to get.
///
/// At most one is on its way: a device that is slow to acknowledge gets the newest next and none between. It lives in
/// memory with the session. When the server restarts both are gone, the device subscribes anew and is told once more,
/// which its version makes harmless; so no acknowledgement costs a row.
struct DesiredDelivery: Sendable {
    /// The version that the device has acknowledged since it last asked.
    private var acknowledged: Int64 = 0
    /// The version that was sent and not acknowledged; the session repeats it by itself.
    private var underway: Int64?
    /// What goes after it.
    private var next: DeviceDocument?

    /// Notes that the device asks, so that it is told again what it was told before.
    mutating func asked() { acknowledged = 0 }

    /// Notes that there is this document; answers what shall be sent now.
    mutating func offer(_ document: DeviceDocument) -> DeviceDocument? {
        guard document.version > max(acknowledged, underway ?? 0, next?.version ?? 0) else { return nil }
        guard underway == nil else {
            next = document
            return nil
        }
        underway = document.version
        return document
    }

    /// Notes that what was sent under this version has ended, acknowledged or given up; answers what goes next.
    mutating func ended(_ version: Int64, isAcknowledged: Bool) -> DeviceDocument? {
        guard version == underway else { return nil }
        if isAcknowledged { acknowledged = max(acknowledged, version) }
        defer { next = nil }
        underway = next?.version
        return next
    }
}
