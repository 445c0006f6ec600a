import MQTT
import NIOCore

/// Feeds the decoder and a session with bytes nobody vouches for.
///
/// The first byte chooses the version, the limits and how the input is cut; the rest is what the network brings. What
/// parses must be written again as something that parses the same, and the session must keep its promises whatever it
/// hears.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMQTT(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let choice = Choice(rawValue: start[0])
    let bytes = UnsafeBufferPointer(start: start + 1, count: count - 1)
    decode(bytes, choice)
    converse(bytes, choice)
    return 0
}

/// The bits of the first byte.
struct Choice: OptionSet {
    let rawValue: UInt8

    /// Version 5, otherwise 3.1.1.
    static let new = Choice(rawValue: 1)
    static let tightLimits = Choice(rawValue: 2)
    /// One byte after the other, otherwise all at once.
    static let drip = Choice(rawValue: 4)
    /// The session begins with a CONNECT that is in order, so that the input reaches what lies behind it.
    static let connected = Choice(rawValue: 8)
    /// The owner acknowledges late and all at once.
    static let slowOwner = Choice(rawValue: 16)

    var version: ProtocolVersion { contains(.new) ? .v5 : .v311 }

    var limits: Limits {
        var limits = Limits()
        if contains(.tightLimits) {
            limits.packetSize = 512
            limits.connectPacketSize = 128
            limits.topicLength = 16
            limits.topicLevels = 3
            limits.userProperties = 2
            limits.filtersPerPacket = 2
            limits.subscriptions = 2
            limits.receiveMaximum = 2
            limits.topicAliasMaximum = 2
            limits.unreleased = 4
            limits.outboundInFlight = 1
            limits.outboundQueue = 1
        }
        return limits
    }
}

/// Reads packets; each is written again, and what was written reads the same and is stable.
private func decode(_ bytes: UnsafeBufferPointer<UInt8>, _ choice: Choice) {
    for version in [nil, choice.version] {
        var decoder = PacketDecoder(version: version, limits: choice.limits)
        var input = ByteBuffer(bytes: bytes)
        while true {
            let before = input
            guard let packet = try? decoder.next(from: &input), let version = decoder.version else { break }
            let consumed = before.getSlice(at: before.readerIndex, length: input.readerIndex - before.readerIndex)
            var written = ByteBuffer()
            guard (try? packet.write(to: &written, version: version)) != nil else {
                preconditionFailure("what was read cannot be written: \(packet)")
            }
            precondition(written == consumed || mayBeShorter(packet, version), "another form was written: \(packet)")
            var again = PacketDecoder(version: packet.type == .connect ? nil : version, limits: choice.limits)
            var copy = written
            let read = try? again.next(from: &copy)
            precondition(read == packet && copy.readableBytes == 0, "what was written reads differently: \(packet)")
        }
    }
}

/// Whether the packet has more than one correct form: version 5 may leave out an empty end, and 3.1.1 does not say that
/// the length must be as short as possible.
private func mayBeShorter(_ packet: Packet, _ version: ProtocolVersion) -> Bool {
    guard version == .v5 else { return true }
    switch packet.type {
    case .puback, .pubrec, .pubrel, .pubcomp, .disconnect, .auth: return true
    default: return false
    }
}
