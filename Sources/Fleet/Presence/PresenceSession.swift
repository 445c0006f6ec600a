public import Base
import Synchronization

/// One open connection of a device; whoever holds the connection holds this and says when the device was heard.
public final class PresenceSession: Sendable {
    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// When it connected.
    public let connected: Timestamp
    /// The protocol it speaks, such as `mqtt`.
    public let transport: String
    /// The network address it came from.
    public let address: String
    private let heard: Atomic<Int64>

    init(tenant: TenantID, device: DeviceID, connected: Timestamp, transport: String, address: String) {
        self.tenant = tenant
        self.device = device
        self.connected = connected
        self.transport = transport
        self.address = address
        heard = Atomic(connected.microseconds)
    }

    /// Notes that the device was heard at `time`: one store, no lock, so it may be called for each message.
    public func seen(at time: Timestamp) {
        // Only the connection's own loop writes, so a plain store can not go back in time for long.
        heard.store(time.microseconds, ordering: .relaxed)
    }

    /// When the device was last heard on this connection.
    public var lastSeen: Timestamp { Timestamp(microseconds: heard.load(ordering: .relaxed)) }
}
