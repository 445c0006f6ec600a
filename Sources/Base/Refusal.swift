/// A clear no to somebody outside: what every capability throws, and each listener says in its own protocol.
///
/// HTTP turns the kind into a status and the rest into a problem document (RFC 9457); MQTT turns it into a reason
/// code. `message` is for the caller; `detail` is for the log and never leaves the server.
public struct Refusal: Error, Sendable {
    /// What sort of no it is, from which each protocol derives its own status.
    public enum Kind: String, Sendable {
        /// The request itself is wrong and will stay wrong.
        case invalid
        /// No credential, or none that counts.
        case unauthenticated
        /// Known caller, but this is not allowed and may be told so.
        case forbidden
        /// Absent, or not for this caller: the two look the same.
        case notFound
        /// In the way of something that is already there.
        case conflict
        /// A size or count limit is exceeded.
        case tooLarge
        /// A rate or quota is exceeded; later it may work.
        case limited
        /// The server can not do it now.
        case unavailable
    }

    /// One wrong place in the input.
    public struct Fault: Hashable, Sendable, Codable {
        /// Where: a JSON pointer, a parameter's name, or `line N`.
        public var place: String
        /// What is wrong there and what would be right.
        public var message: String

        /// A fault at `place`.
        public init(place: String, message: String) {
            self.place = place
            self.message = message
        }
    }

    /// The sort of refusal.
    public var kind: Kind
    /// A stable code for programs, such as `device.unknown`.
    public var code: String
    /// What happened and what to do, for the caller.
    public var message: String
    /// More for the log only.
    public var detail: String?
    /// Every wrong place, when the input has several.
    public var faults: [Fault]
    /// When to try again, for `limited` and `unavailable`.
    public var retryAfter: Duration?

    /// A refusal of this kind with a stable code and a message for the caller.
    public init(
        _ kind: Kind, _ code: String, _ message: String, detail: String? = nil, faults: [Fault] = [],
        retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.detail = detail
        self.faults = faults
        self.retryAfter = retryAfter
    }
}

extension Refusal {
    /// The `type` of the problem document that tells of it (RFC 9457, section 3.1.1).
    public var problemType: String { "urn:tidegate:problem:" + code }
}

extension Refusal: Equatable {
    /// Two refusals are equal when kind and code are, so that tests need not repeat the prose.
    public static func == (left: Refusal, right: Refusal) -> Bool { left.kind == right.kind && left.code == right.code }
}

extension Refusal: CustomStringConvertible {
    /// Code, message and detail, for the log.
    public var description: String { detail.map { "\(code): \(message) (\($0))" } ?? "\(code): \(message)" }
}
