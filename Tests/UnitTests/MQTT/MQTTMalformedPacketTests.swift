import MQTT
import NIOCore
import Testing

@Suite struct MQTTMalformedPacketTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var version: ProtocolVersion?
        var hex: String
        var code: ReasonCode

        init(_ name: String, _ version: ProtocolVersion?, _ hex: String, _ code: ReasonCode) {
            self.name = name
            self.version = version
            self.hex = hex
            self.code = code
        }

        var testDescription: String { "\(version.map { "\($0)" } ?? "new"): \(name)" }
    }

    /// A CONNECT body behind the given protocol header, its length filled in.
    private static func connect(_ rest: String) -> String {
        let body = "0004 4D515454 " + rest
        let count = body.filter { $0 != " " }.count / 2
        return "10 " + String(UInt8(count), radix: 16).leftPadded + " " + body
    }

    static let rows: [Row] = [
        // Fixed header
        Row("packet type 0", .v5, "00 00", .malformedPacket),
        Row("packet type 15 in 3.1.1", .v311, "F0 00", .malformedPacket),
        Row("flags on CONNECT", nil, "11 00", .malformedPacket),
        Row("flags on CONNACK", .v5, "21 00", .malformedPacket),
        Row("flags on PUBACK", .v5, "41 02 0001", .malformedPacket),
        Row("flags on PUBREC", .v311, "52 02 0001", .malformedPacket),
        Row("PUBREL without its flag", .v311, "60 02 0001", .malformedPacket),
        Row("PUBREL with another flag", .v5, "63 02 0001", .malformedPacket),
        Row("flags on PUBCOMP", .v5, "72 02 0001", .malformedPacket),
        Row("SUBSCRIBE without its flag", .v5, "80 02 0001", .malformedPacket),
        Row("UNSUBSCRIBE without its flag", .v311, "A0 02 0001", .malformedPacket),
        Row("flags on PINGREQ", .v5, "C1 00", .malformedPacket),
        Row("flags on DISCONNECT", .v311, "E2 00", .malformedPacket),
        Row("flags on AUTH", .v5, "F1 00", .malformedPacket),
        Row("a length of five bytes", .v5, "30 8080808001", .malformedPacket),
        Row("a length of four bytes that goes on", .v311, "30 FFFFFFFF", .malformedPacket),
        Row("a length longer than needed", .v5, "C0 8000", .malformedPacket),
        Row("a packet larger than the limit", .v5, "30 FFFFFF7F", .packetTooLarge),
        Row("a body on PINGREQ", .v311, "C0 01 00", .malformedPacket),
        Row("a body on DISCONNECT in 3.1.1", .v311, "E0 01 00", .malformedPacket),
        // CONNECT
        Row("another first packet", nil, "C0 00", .protocolError),
        Row("a message before CONNECT", nil, "30 05 0001 74 3432", .protocolError),
        Row("another protocol", nil, "10 0C 0004 4D515458 04 02 0000 0000", .unsupportedProtocolVersion),
        Row("MQTT 3.1", nil, "10 0E 0006 4D5149736470 03 02 0000 0000", .unsupportedProtocolVersion),
        Row("an unknown level", nil, connect("06 02 0000 0000"), .unsupportedProtocolVersion),
        Row("a bridge", nil, connect("84 02 0000 0000"), .unsupportedProtocolVersion),
        Row("CONNECT with its reserved flag", nil, connect("04 03 0000 0000"), .malformedPacket),
        Row("a will with QoS 3", nil, connect("04 1E 0000 0000 0001 77 0000"), .malformedPacket),
        Row("will QoS without a will", nil, connect("04 0A 0000 0000"), .malformedPacket),
        Row("will retain without a will", nil, connect("05 22 0000 00 0000"), .malformedPacket),
        Row("a password alone in 3.1.1", nil, connect("04 42 0000 0000 0001 70"), .malformedPacket),
        Row("CONNECT cut in the client identifier", nil, connect("04 02 0000 0005 61"), .malformedPacket),
        Row("CONNECT without the promised user name", nil, connect("04 82 0000 0001 61"), .malformedPacket),
        Row("CONNECT with bytes behind it", nil, connect("04 02 0000 0001 61 00"), .malformedPacket),
        Row("CONNECT without properties", nil, connect("05 02 0000"), .malformedPacket),
        Row("a client identifier that is not UTF-8", nil, connect("04 02 0000 0001 FF"), .malformedPacket),
        Row("a client identifier with U+0000", nil, connect("04 02 0000 0001 00"), .malformedPacket),
        Row("a client identifier with a line break", nil, connect("04 02 0000 0001 0A"), .clientIdentifierNotValid),
        Row(
            "a client identifier that is too long", nil,
            connect("04 02 0000 0065 " + String(repeating: "61", count: 101)),
            .clientIdentifierNotValid),
        Row("a will topic with a wildcard", nil, connect("04 06 0000 0001 61 0001 23 0000"), .topicNameInvalid),
        Row("an empty will topic", nil, connect("04 06 0000 0001 61 0000 0000"), .malformedPacket),
        Row("a user name with a surrogate", nil, connect("04 82 0000 0001 61 0003 EDA080"), .malformedPacket),
        Row("receive maximum 0", nil, connect("05 02 0000 03 21 0000 0000"), .protocolError),
        Row("maximum packet size 0", nil, connect("05 02 0000 05 27 00000000 0000"), .protocolError),
        Row("request problem information 2", nil, connect("05 02 0000 02 17 02 0000"), .protocolError),
        Row("session expiry twice", nil, connect("05 02 0000 0A 11 00000001 11 00000001 0000"), .protocolError),
        Row("authentication data without a method", nil, connect("05 02 0000 04 16 0001 09 0000"), .protocolError),
        Row("a property of PUBLISH in CONNECT", nil, connect("05 02 0000 03 23 0001 0000"), .malformedPacket),
        Row("the will's delay outside the will", nil, connect("05 02 0000 05 18 00000001 0000"), .malformedPacket),
        Row(
            "a session expiry in the will", nil, connect("05 06 0000 00 0000 05 11 00000001 0001 77 0000"),
            .malformedPacket),
        Row("an unknown property", nil, connect("05 02 0000 02 7F 00 0000"), .malformedPacket),
        Row("properties longer than the packet", nil, connect("05 02 0000 20 0000"), .malformedPacket),
        Row("a property cut short", nil, connect("05 02 0000 02 21 00 0000"), .malformedPacket),
        Row("a property length longer than needed", nil, connect("05 02 0000 8000 0000"), .malformedPacket),
        Row(
            "a user property that is not UTF-8", nil, connect("05 02 0000 07 26 0001 C0 0001 61 0000"), .malformedPacket
        ),
        // PUBLISH
        Row("QoS 3", .v311, "36 07 0001 74 0001 3432", .malformedPacket),
        Row("a duplicate with QoS 0", .v5, "38 06 0001 74 00 3432", .malformedPacket),
        Row("packet identifier 0", .v311, "32 05 0001 74 0000", .protocolError),
        Row("a message cut in its packet identifier", .v311, "32 04 0001 74 00", .malformedPacket),
        Row("a topic longer than the packet", .v311, "30 04 0009 7474", .malformedPacket),
        Row("a message without a topic length", .v311, "30 00", .malformedPacket),
        Row("a topic with #", .v311, "30 05 0003 612F23", .topicNameInvalid),
        Row("a topic with +", .v5, "30 06 0003 2B2F61 00", .topicNameInvalid),
        Row("a topic with U+0000", .v5, "30 06 0003 610061 00", .malformedPacket),
        Row("a topic with a control character", .v5, "30 06 0003 610761 00", .topicNameInvalid),
        Row("a topic with a non-character", .v311, "30 05 0003 EFBFBF", .topicNameInvalid),
        Row("a topic that is overlong UTF-8", .v5, "30 05 0002 C1A1 00", .malformedPacket),
        Row("a topic above U+10FFFF", .v311, "30 06 0004 F4908080", .malformedPacket),
        Row("a topic with half a character", .v311, "30 04 0002 61E2", .malformedPacket),
        Row("an empty topic in 3.1.1", .v311, "30 02 0000", .malformedPacket),
        Row("an empty topic without an alias", .v5, "30 03 0000 00", .protocolError),
        Row("topic alias 0", .v5, "30 07 0001 74 03 23 0000", .topicAliasInvalid),
        Row("a topic alias twice", .v5, "30 0A 0001 74 06 23 0001 23 0002", .protocolError),
        Row("subscription identifier 0", .v5, "30 06 0001 74 02 0B 00", .protocolError),
        Row("payload format 2", .v5, "30 06 0001 74 02 01 02", .protocolError),
        Row("a response topic with a wildcard", .v5, "30 08 0001 74 04 08 0001 23", .topicNameInvalid),
        Row("an empty response topic", .v5, "30 07 0001 74 03 08 0000", .protocolError),
        Row("a topic that is too long", .v311, "30 67 0065 " + String(repeating: "61", count: 101), .topicNameInvalid),
        Row("a topic with too many levels", .v311, "30 0B 0009 2F2F2F2F2F2F2F2F2F", .topicNameInvalid),
        Row(
            "too many user properties", .v5,
            "30 1F 0001 74 1B " + String(repeating: "26 0002 6162 0002 6364", count: 3),
            .quotaExceeded),
        // Acknowledgements
        Row("PUBACK with packet identifier 0", .v311, "40 02 0000", .protocolError),
        Row("PUBACK without packet identifier", .v5, "40 00", .malformedPacket),
        Row("PUBACK with bytes behind it", .v311, "40 03 0001 00", .malformedPacket),
        Row("PUBACK with a reason of CONNACK", .v5, "40 03 0001 8A", .protocolError),
        Row("PUBREL with a reason of PUBREC", .v5, "62 03 0001 97", .protocolError),
        Row("PUBCOMP with an unknown reason", .v5, "70 03 0001 7F", .protocolError),
        Row("PUBACK with a topic alias", .v5, "40 07 0001 00 03 23 0001", .malformedPacket),
        Row("PUBACK with bytes behind its properties", .v5, "40 05 0001 00 00 00", .malformedPacket),
        // SUBSCRIBE and UNSUBSCRIBE
        Row("SUBSCRIBE without filters", .v311, "82 02 0001", .protocolError),
        Row("SUBSCRIBE with packet identifier 0", .v311, "82 06 0000 0001 61 00", .protocolError),
        Row("SUBSCRIBE without options", .v311, "82 05 0001 0001 61", .malformedPacket),
        Row("an empty filter", .v311, "82 05 0001 0000 00", .malformedPacket),
        Row("a filter that is not UTF-8", .v5, "82 07 0001 00 0001 FF 00", .malformedPacket),
        Row("# before the end", .v311, "82 08 0001 0003 232F61 00", .topicFilterInvalid),
        Row("# inside a level", .v311, "82 07 0001 0002 6123 00", .topicFilterInvalid),
        Row("+ inside a level", .v5, "82 08 0001 00 0002 2B61 00", .topicFilterInvalid),
        Row("requested QoS 3 in 3.1.1", .v311, "82 06 0001 0001 61 03", .malformedPacket),
        Row("reserved options in 3.1.1", .v311, "82 06 0001 0001 61 04", .malformedPacket),
        Row("reserved options in 5.0", .v5, "82 07 0001 00 0001 61 40", .malformedPacket),
        Row("maximum QoS 3 in 5.0", .v5, "82 07 0001 00 0001 61 03", .protocolError),
        Row("retain handling 3", .v5, "82 07 0001 00 0001 61 30", .protocolError),
        Row("no local on a shared subscription", .v5, "82 10 0001 00 000A 2473686172652F672F61 04", .protocolError),
        Row(
            "a shared subscription without a name", .v5, "82 0F 0001 00 0009 2473686172652F2F61 00", .topicFilterInvalid
        ),
        Row(
            "a shared subscription without a filter", .v5, "82 0E 0001 00 0008 2473686172652F67 00", .topicFilterInvalid
        ),
        Row("two subscription identifiers", .v5, "82 0B 0001 04 0B01 0B02 0001 61 00", .protocolError),
        Row("subscription identifier of five bytes", .v5, "82 0D 0001 06 0B8080808001 0001 61 00", .malformedPacket),
        Row(
            "too many filters", .v311, "82 12 0001 " + String(repeating: "0001 61 00", count: 4), .quotaExceeded),
        Row("UNSUBSCRIBE without filters", .v5, "A2 03 0001 00", .protocolError),
        Row("UNSUBSCRIBE with an empty filter", .v311, "A2 04 0001 0000", .malformedPacket),
        Row("UNSUBSCRIBE cut in a filter", .v311, "A2 05 0001 0002 61", .malformedPacket),
        // What servers send
        Row("CONNACK with reserved flags", .v311, "20 02 02 00", .malformedPacket),
        Row("a refusing CONNACK with a session", .v5, "20 03 01 87 00", .protocolError),
        Row("CONNACK with an unknown return code", .v311, "20 02 00 06", .malformedPacket),
        Row("CONNACK with a reason of DISCONNECT", .v5, "20 03 00 8E 00", .protocolError),
        Row("SUBACK with an unknown code", .v311, "90 03 0001 03", .malformedPacket),
        Row("SUBACK without codes", .v5, "90 03 0001 00", .protocolError),
        Row("UNSUBACK with codes in 3.1.1", .v311, "B0 03 0001 00", .malformedPacket),
        Row("maximum QoS 2 in CONNACK", .v5, "20 05 00 00 02 24 02", .protocolError),
        // DISCONNECT and AUTH
        Row("DISCONNECT with a reason of PUBACK", .v5, "E0 01 10", .protocolError),
        Row("DISCONNECT with an unknown reason", .v5, "E0 01 05", .protocolError),
        Row("AUTH without property length", .v5, "F0 01 18", .malformedPacket),
        Row("AUTH with a reason of DISCONNECT", .v5, "F0 02 04 00", .protocolError),
    ]

    @Test("a packet that breaks the rules is refused with the right code", arguments: rows)
    func refuses(_ row: Row) throws {
        var limits = Limits()
        limits.topicLength = 100
        limits.topicLevels = 8
        limits.clientIDLength = 100
        limits.userProperties = 2
        limits.filtersPerPacket = 3
        var decoder = PacketDecoder(version: row.version, limits: limits)
        var buffer = MQTTSample.buffer(row.hex)
        #expect(buffer.readableBytes > 0)
        #expect(throws: ProtocolViolation(row.code, "")) { try decoder.next(from: &buffer) }
    }

    @Test("the table has no row twice")
    func distinct() {
        #expect(Set(Self.rows.map { "\($0.version as ProtocolVersion?)\($0.hex)" }).count == Self.rows.count)
    }

    @Test("what comes byte by byte is refused with the same code", arguments: rows)
    func dripFeed(_ row: Row) throws {
        var limits = Limits()
        limits.topicLength = 100
        limits.topicLevels = 8
        limits.clientIDLength = 100
        limits.userProperties = 2
        limits.filtersPerPacket = 3
        var decoder = PacketDecoder(version: row.version, limits: limits)
        var buffer = ByteBuffer()
        var code: ReasonCode?
        for byte in MQTTSample.buffer(row.hex).readableBytesView where code == nil {
            buffer.writeInteger(byte)
            do throws(ProtocolViolation) { _ = try decoder.next(from: &buffer) } catch { code = error.code }
        }
        #expect(code == row.code)
    }
}

extension String {
    fileprivate var leftPadded: String { count == 1 ? "0" + self : self }
}
