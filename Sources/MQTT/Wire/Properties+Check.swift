import NIOCore

extension Properties {
    /// Refuses what the specification or a limit does not allow (section 2.2.2.2 and the sections on each packet), and
    /// returns the bits of what is there.
    static func check(
        _ bytes: ByteBuffer, in place: PacketSet, limits: borrowing Limits
    ) throws(ProtocolViolation) -> UInt64 {
        var reader = BodyReader(bytes, at: bytes.readerIndex, length: bytes.readableBytes)
        var seen: UInt64 = 0
        var userProperties = 0
        while reader.remaining > 0 {
            // The identifier is a variable byte integer, but all that exist fit one byte.
            guard let identifier = PropertyIdentifier(rawValue: try reader.byte()) else {
                throw .malformed("a property has an unknown identifier")
            }
            guard identifier.places.isSuperset(of: place) else {
                throw .malformed("a property may not stand in this packet")
            }
            if identifier == .userProperty {
                userProperties += 1
                guard userProperties <= limits.userProperties else {
                    throw ProtocolViolation(.quotaExceeded, "the packet has too many user properties")
                }
            } else if seen & identifier.bit != 0, !identifier.repeats(in: place) {
                throw .protocolError("a property stands twice")
            }
            seen |= identifier.bit
            try checkValue(of: identifier, in: &reader, limits: limits)
        }
        guard
            seen & PropertyIdentifier.authenticationData.bit == 0
                || seen & PropertyIdentifier.authenticationMethod.bit != 0
        else { throw .protocolError("authentication data stands without a method") }  // section 3.1.2.11.10
        return seen
    }

    private static func checkValue(
        of identifier: PropertyIdentifier, in reader: inout BodyReader, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        switch identifier.form {
        case .text where identifier == .responseTopic:
            let topic = try Topic(checking: try reader.binary(), limits: limits)  // [MQTT-3.3.2-14]
            guard !topic.isEmpty else { throw .protocolError("the response topic is empty") }
        case .text: try reader.skipText()
        case .textPair:
            try reader.skipText()
            try reader.skipText()
        case .binary: _ = try reader.binary()
        case .flag:
            guard try reader.byte() <= 1 else { throw .protocolError("a property is neither 0 nor 1") }
        case .twoBytes, .fourBytes, .variableInteger:
            let value = try reader.integer(identifier.form)
            if value == 0, let code = identifier.zeroCode { throw ProtocolViolation(code, "a property is zero") }
        }
    }
}
