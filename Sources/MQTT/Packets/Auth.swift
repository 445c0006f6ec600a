import NIOCore

/// AUTH: a step of an enhanced authentication, version 5 only (section 3.15).
public struct Auth: Sendable, Hashable {
    /// Success, continue or re-authenticate.
    public var reason: ReasonCode
    /// The method and its data.
    public var properties: Properties

    /// An AUTH with these fields.
    public init(reason: ReasonCode, properties: Properties = .init()) {
        self.reason = reason
        self.properties = properties
    }

    init(from reader: inout BodyReader, limits: borrowing Limits) throws(ProtocolViolation) {
        reason = .success
        properties = Properties()
        // Both may be left out (section 3.15.2.1).
        if reader.remaining > 0 {
            reason = try ReasonCode(try reader.byte(), in: .auth)
            properties = try Properties(from: &reader, in: .auth, limits: limits)
        }
        try reader.finish()
    }

    func write(to buffer: inout ByteBuffer) {
        guard reason != .success || !properties.isEmpty else { return }
        buffer.writeInteger(reason.rawValue)
        properties.write(to: &buffer)
    }
}
