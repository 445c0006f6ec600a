public import Base

/// Whether a device is connected, and what is known about its connections.
public struct PresenceState: Hashable, Sendable {
    /// Whether it has a connection now.
    public var isOnline: Bool
    /// When it was last heard; nil when never.
    public var lastSeen: Timestamp?
    /// When its latest connection began.
    public var connected: Timestamp?
    /// When its last connection ended.
    public var disconnected: Timestamp?
    /// How many connections it has made since it was registered.
    public var connections: Int64
    /// The protocol of its latest connection.
    public var transport: String?
    /// The network address of its latest connection.
    public var address: String?

    /// The state of a device that was never heard.
    public static let never = PresenceState(
        isOnline: false, lastSeen: nil, connected: nil, disconnected: nil, connections: 0, transport: nil, address: nil)

    /// The state as JSON.
    public var json: JSONValue {
        func time(_ time: Timestamp?) -> JSONValue { time.map { .string($0.rfc3339) } ?? .null }
        return [
            "online": .bool(isOnline),
            "lastSeen": time(lastSeen),
            "connected": time(connected),
            "disconnected": time(disconnected),
            "connections": .integer(connections),
            "protocol": transport.map { .string($0) } ?? .null,
            "address": address.map { .string($0) } ?? .null,
        ]
    }
}
