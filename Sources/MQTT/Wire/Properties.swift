import NIOCore

/// One name and value that the other side's application attached to a packet.
public struct UserProperty: Sendable, Hashable {
    /// The name; it may stand more than once.
    public var name: String
    /// The value.
    public var value: String

    /// The property `name` with this value.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The properties of one packet or will (5.0, section 2.2.2): checked when decoded, and kept as the bytes they came in.
///
/// Most packets have none and most properties are never asked for, so decoding allocates nothing; asking looks through
/// the few bytes. Version 3.1.1 has no properties: they are not written then.
public struct Properties: Sendable {
    /// The encoded properties without the length in front, or nil when there are none.
    var encoded: ByteBuffer?
    /// One bit for each property that is there, so that asking for an absent one costs nothing.
    var present: UInt64 = 0

    /// No properties.
    public init() {}

    /// Reads the property length and the properties that may stand in `place`.
    init(
        from reader: inout BodyReader, in place: PacketSet, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        let length = Int(try reader.variableInteger())
        guard length > 0 else { return }
        let bytes = try reader.slice(length)
        present = try Self.check(bytes, in: place, limits: limits)
        encoded = bytes
    }

    /// Whether there are none.
    public var isEmpty: Bool { encoded == nil }

    /// The bytes that the properties take in a packet, their length field included.
    var encodedLength: Int {
        let length = encoded?.readableBytes ?? 0
        return ByteBuffer.variableIntegerLength(length) + length
    }

    func write(to buffer: inout ByteBuffer) {
        guard let encoded else {
            buffer.writeInteger(UInt8(0))
            return
        }
        buffer.writeVariableInteger(encoded.readableBytes)
        buffer.writeImmutableBuffer(encoded)
    }

    /// The same properties with storage of their own.
    public var detached: Properties {
        var copy = Properties()
        copy.present = present
        copy.encoded = encoded.map { bytes in bytes.withUnsafeReadableBytes { ByteBuffer(bytes: $0) } }
        return copy
    }
}

extension Properties: Hashable {
    /// Equal properties are written alike, in the same order.
    public static func == (left: Properties, right: Properties) -> Bool { left.encoded == right.encoded }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) { hasher.combine(encoded) }
}
