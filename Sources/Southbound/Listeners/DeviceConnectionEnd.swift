import MQTT

/// What a connection's handlers are told, as a user event, just before the server closes the connection: a last chance
/// to write and flush a farewell.
struct DeviceConnectionEnd: Sendable {
    /// Why, in MQTT's words.
    var reason: ReasonCode
    /// More for the peer to read, if it is worth it.
    var text: String?

    /// The device's access has ended.
    static let accessEnded = DeviceConnectionEnd(reason: .notAuthorized, text: nil)
    /// The device opened more connections than its plan lets it.
    static let displaced = DeviceConnectionEnd(reason: .quotaExceeded, text: nil)
    /// The server stops.
    static let serverStops = DeviceConnectionEnd(reason: .serverShuttingDown, text: nil)
}
