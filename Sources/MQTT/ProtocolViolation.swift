/// Bytes or packets that break the specification or a limit: the connection ends, with `code` where the version has one.
public struct ProtocolViolation: Error, Sendable {
    /// The reason code to send.
    public let code: ReasonCode
    /// What was wrong, for the log.
    public let message: StaticString

    /// A violation with this code.
    public init(_ code: ReasonCode, _ message: StaticString) {
        self.code = code
        self.message = message
    }

    static func malformed(_ message: StaticString) -> ProtocolViolation { .init(.malformedPacket, message) }
    static func protocolError(_ message: StaticString) -> ProtocolViolation { .init(.protocolError, message) }
}

extension ProtocolViolation: Equatable {
    /// Two violations are equal when their codes are, so that tests need not repeat the prose.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension ProtocolViolation: CustomStringConvertible {
    /// The code and what was wrong.
    public var description: String { "\(code): \(message)" }
}
