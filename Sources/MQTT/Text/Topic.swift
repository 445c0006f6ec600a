public import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The name of a topic, kept as the bytes it came in: comparing it to a known name builds no string.
///
/// A decoded topic shares its packet's storage. Copy it with `Topic(string)` or `detached` to keep it for long.
public struct Topic: Sendable, Hashable {
    /// The UTF-8 bytes.
    public let bytes: ByteBuffer

    /// The empty topic, which only a PUBLISH with a topic alias may have.
    public static let none = Topic(unchecked: ByteBuffer())

    /// The topic named `text`, or the reason why it cannot be one.
    public init(_ text: String, limits: Limits = .specification) throws(ProtocolViolation) {
        let bytes = ByteBuffer(string: text)
        guard bytes.readableBytes > 0 else { throw .protocolError("a topic name is empty") }
        try self.init(checking: bytes, limits: limits)
    }

    /// The topic that the program's own text spells, which holds no wildcard.
    public init(literal text: StaticString) { bytes = ByteBuffer(staticString: text) }

    init(unchecked bytes: ByteBuffer) { self.bytes = bytes }

    /// Checks a topic name (sections 4.7.1 and 4.7.3); an empty one passes, because a topic alias may stand for it.
    init(checking bytes: ByteBuffer, limits: borrowing Limits) throws(ProtocolViolation) {
        let scan = bytes.withUnsafeReadableBytes { TopicScan(of: $0) }
        try scan.check(length: bytes.readableBytes, code: .topicNameInvalid, limits: limits)
        // [MQTT-3.3.2-2], [MQTT-4.7.0-1]
        guard !scan.hasWildcard else {
            throw ProtocolViolation(.topicNameInvalid, "a topic name holds a wildcard")
        }
        self.bytes = bytes
    }

    /// Whether there is no name.
    public var isEmpty: Bool { bytes.readableBytes == 0 }

    /// The name as a string.
    public var string: String { String(buffer: bytes) }

    /// The same name with storage of its own.
    public var detached: Topic {
        bytes.withUnsafeReadableBytes { Topic(unchecked: ByteBuffer(bytes: $0)) }
    }

    /// Whether the topic is exactly `text`.
    public static func == (topic: Topic, text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            topic.bytes.withUnsafeReadableBytes { bytes in
                bytes.count == text.count && Self.areEqual(bytes, text)
            }
        }
    }

    /// Lets a `switch` over a topic name its cases as literals.
    public static func ~= (text: StaticString, topic: Topic) -> Bool { topic == text }

    /// The one level that stands between `prefix` and `suffix`, or nil when the topic does not have this form.
    ///
    /// `topic.level(after: "tasks/", before: "/status")` is the task's name in `tasks/{name}/status`.
    public func level(after prefix: StaticString, before suffix: StaticString = "") -> String? {
        let length = bytes.readableBytes - prefix.utf8CodeUnitCount - suffix.utf8CodeUnitCount
        guard length > 0 else { return nil }
        return bytes.withUnsafeReadableBytes { bytes in
            let middle = UnsafeRawBufferPointer(rebasing: bytes[prefix.utf8CodeUnitCount...].prefix(length))
            guard
                prefix.withUTF8Buffer({ Self.areEqual(bytes, $0) }),
                suffix.withUTF8Buffer({ Self.areEqual(.init(rebasing: bytes.suffix($0.count)), $0) }),
                !middle.contains(UInt8(ascii: "/"))
            else { return nil }
            return String(decoding: middle, as: UTF8.self)
        }
    }

    /// Compares as many bytes as `text` has; the caller has made sure that there are as many.
    private static func areEqual(_ bytes: UnsafeRawBufferPointer, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let left = bytes.baseAddress, let right = text.baseAddress else { return text.isEmpty }
        return memcmp(left, right, text.count) == 0
    }
}

extension Topic: CustomStringConvertible {
    /// The topic's name.
    public var description: String { string }
}
