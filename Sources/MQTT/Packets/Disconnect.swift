import NIOCore

/// DISCONNECT: the last packet of a side; only clients send it in 3.1.1 (section 3.14).
public struct Disconnect: Sendable, Hashable {
    /// Why.
    public var reason: ReasonCode
    /// The properties of version 5.
    public var properties: Properties

    /// A DISCONNECT with these fields.
    public init(reason: ReasonCode = .success, properties: Properties = .init()) {
        self.reason = reason
        self.properties = properties
    }

    init(
        from reader: inout BodyReader, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        reason = .success
        properties = Properties()
        // Both may be left out (section 3.14.2.1).
        if version == .v5, reader.remaining > 0 {
            reason = try ReasonCode(try reader.byte(), in: .disconnect)
            if reader.remaining > 0 { properties = try Properties(from: &reader, in: .disconnect, limits: limits) }
        }
        try reader.finish()
    }

    func write(to buffer: inout ByteBuffer, version: ProtocolVersion) {
        guard version == .v5, reason != .success || !properties.isEmpty else { return }
        buffer.writeInteger(reason.rawValue)
        if !properties.isEmpty { properties.write(to: &buffer) }
    }
}
