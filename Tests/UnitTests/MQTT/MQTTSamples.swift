import Base
import MQTT
import NIOCore
import Testing

/// A packet, the version it is written in, and its bytes.
struct MQTTSample: Sendable, CustomTestStringConvertible {
    var version: ProtocolVersion
    var packet: Packet
    var hex: String

    var bytes: ByteBuffer { MQTTSample.buffer(hex) }
    var testDescription: String { "\(version) \(packet.type) \(hex.prefix(24))" }

    /// The bytes that hexadecimal digits, with any spaces between them, spell.
    static func buffer(_ hex: String) -> ByteBuffer {
        ByteBuffer(bytes: [UInt8](hex: hex.filter { $0 != " " }) ?? [])
    }

    /// Properties made in place.
    static func properties(_ fill: (inout Properties) throws -> Void) rethrows -> Properties {
        var properties = Properties()
        try fill(&properties)
        return properties
    }

    /// At least one packet of every kind that each version has, written out by hand from the specifications.
    static let all: [MQTTSample] = {
        do { return try v311() + v5() } catch { fatalError("a sample is wrong: \(error)") }
    }()

    private static func v311() throws -> [MQTTSample] {
        let samples: [(Packet, String)] = [
            // Section 3.1.2.10 (figure 3.6) with a client identifier, user name and password.
            (
                .connect(
                    Connect(
                        version: .v311, clientID: "c1", cleanStart: true, keepAlive: 10,
                        will: Will(topic: try Topic("w"), payload: ByteBuffer(string: "x"), qos: .atLeastOnce),
                        userName: "u", password: ByteBuffer(string: "p"))),
                "10 1A 0004 4D515454 04 CE 000A 0002 6331 0001 77 0001 78 0001 75 0001 70"
            ),
            (
                .connect(Connect(version: .v311, clientID: "", cleanStart: true, keepAlive: 0)),
                "10 0C 0004 4D515454 04 02 0000 0000"
            ),
            (.connack(ConnAck(sessionPresent: true)), "20 02 01 00"),
            (.connack(ConnAck(reason: .unsupportedProtocolVersion)), "20 02 00 01"),
            (.connack(ConnAck(reason: .notAuthorized)), "20 02 00 05"),
            // Section 3.3.2.3 (figure 3.11): topic a/b, packet identifier 10.
            (
                .publish(
                    Publish(topic: try Topic("a/b"), payload: ByteBuffer(), qos: .atLeastOnce, packetID: 10)),
                "32 07 0003 612F62 000A"
            ),
            (.publish(Publish(topic: try Topic("t"), payload: ByteBuffer(string: "42"))), "30 05 0001 74 3432"),
            (
                .publish(
                    Publish(
                        topic: try Topic("t"), payload: ByteBuffer(string: "42"), qos: .exactlyOnce, packetID: 258,
                        retain: true, isDuplicate: true)),
                "3D 07 0001 74 0102 3432"
            ),
            (.puback(Acknowledgement(packetID: 10)), "40 02 000A"),
            (.pubrec(Acknowledgement(packetID: 10)), "50 02 000A"),
            (.pubrel(Acknowledgement(packetID: 10)), "62 02 000A"),
            (.pubcomp(Acknowledgement(packetID: 10)), "70 02 000A"),
            // Section 3.8.3.1 (figure 3.23): a/b with QoS 1 and c/d with QoS 2.
            (
                .subscribe(
                    Subscribe(
                        packetID: 10,
                        subscriptions: [
                            Subscription(try TopicFilter("a/b"), maximumQoS: .atLeastOnce),
                            Subscription(try TopicFilter("c/d"), maximumQoS: .exactlyOnce),
                        ])),
                "82 0E 000A 0003 612F62 01 0003 632F64 02"
            ),
            // Section 3.9.3 (figure 3.26): maximum QoS 0, 2, failure.
            (
                .suback(SubAck(packetID: 10, reasons: [.success, .grantedQoS2, .unspecifiedError])),
                "90 05 000A 00 02 80"
            ),
            // Section 3.10.3 (figure 3.30).
            (
                .unsubscribe(Unsubscribe(packetID: 10, filters: [try TopicFilter("a/b"), try TopicFilter("c/d")])),
                "A2 0C 000A 0003 612F62 0003 632F64"
            ),
            (.unsuback(SubAck(packetID: 10, reasons: [])), "B0 02 000A"),
            (.pingreq, "C0 00"),
            (.pingresp, "D0 00"),
            (.disconnect(Disconnect()), "E0 00"),
        ]
        return samples.map { MQTTSample(version: .v311, packet: $0.0, hex: $0.1) }
    }

    private static func v5() throws -> [MQTTSample] {
        let samples: [(Packet, String)] = [
            // Section 3.1.2.12 (figure 3-6), session expiry interval 10.
            (
                .connect(
                    Connect(
                        version: .v5, clientID: "c1", cleanStart: true, keepAlive: 10,
                        will: Will(
                            topic: try Topic("w"), payload: ByteBuffer(string: "x"), qos: .atLeastOnce,
                            properties: properties { $0.willDelayInterval = 5 }),
                        userName: "u", password: ByteBuffer(string: "p"),
                        properties: properties { $0.sessionExpiryInterval = 10 })),
                "10 26 0004 4D515454 05 CE 000A 05 11 0000000A 0002 6331 05 18 00000005 0001 77 0001 78 0001 75 0001 70"
            ),
            // A password without a user name, which only version 5 allows.
            (
                .connect(
                    Connect(
                        version: .v5, clientID: "", cleanStart: false, keepAlive: 0, password: ByteBuffer(string: "p"))),
                "10 10 0004 4D515454 05 40 0000 00 0000 0001 70"
            ),
            (
                .connack(
                    ConnAck(
                        sessionPresent: false,
                        properties: try properties {
                            $0.receiveMaximum = 20
                            $0.retainAvailable = false
                            try $0.set(.assignedClientIdentifier, to: "x")
                            $0.serverKeepAlive = 60
                        })),
                "20 0F 00 00 0C 21 0014 25 00 12 0001 78 13 003C"
            ),
            (.connack(ConnAck(reason: .banned)), "20 03 00 8A 00"),
            // Section 3.3.2.4 (figure 3-9): topic a/b, packet identifier 10, no properties.
            (
                .publish(
                    Publish(topic: try Topic("a/b"), payload: ByteBuffer(), qos: .atLeastOnce, packetID: 10)),
                "32 08 0003 612F62 000A 00"
            ),
            (
                .publish(
                    Publish(
                        topic: .none, payload: ByteBuffer(string: "42"),
                        properties: try properties {
                            $0.topicAlias = 3
                            $0.messageExpiryInterval = 60
                            $0.payloadIsText = true
                            try $0.set(.contentType, to: "j")
                            try $0.set(.responseTopic, to: "r")
                            try $0.set(correlationData: ByteBuffer(bytes: [0, 1]))
                            try $0.append(UserProperty("k", "v"))
                            $0.append(subscriptionIdentifier: 128)
                        })),
                "30 26 0000 21 23 0003 02 0000003C 01 01 03 0001 6A 08 0001 72 09 0002 0001 26 0001 6B 0001 76 0B 8001 3432"
            ),
            (.puback(Acknowledgement(packetID: 10)), "40 02 000A"),
            (.puback(Acknowledgement(packetID: 10, reason: .quotaExceeded)), "40 03 000A 97"),
            (
                .pubrec(
                    Acknowledgement(
                        packetID: 10, reason: .unspecifiedError,
                        properties: try properties { try $0.set(.reasonString, to: "no") })),
                "50 09 000A 80 05 1F 0002 6E6F"
            ),
            (.pubrel(Acknowledgement(packetID: 10, reason: .packetIdentifierNotFound)), "62 03 000A 92"),
            (.pubcomp(Acknowledgement(packetID: 10)), "70 02 000A"),
            // Section 3.8.3.1 (figure 3-22), with a subscription identifier and all options.
            (
                .subscribe(
                    Subscribe(
                        packetID: 10,
                        subscriptions: [
                            Subscription(
                                try TopicFilter("a/+"), maximumQoS: .atLeastOnce, noLocal: true,
                                retainAsPublished: true, retainHandling: .doNotSend),
                            Subscription(try TopicFilter("$share/g/c/#"), maximumQoS: .exactlyOnce),
                        ], properties: properties { $0.append(subscriptionIdentifier: 1) })),
                "82 1A 000A 02 0B01 0003 612F2B 2D 000C 2473686172652F672F632F23 02"
            ),
            (
                .suback(SubAck(packetID: 10, reasons: [.grantedQoS1, .sharedSubscriptionsNotSupported])),
                "90 05 000A 00 01 9E"
            ),
            (
                .unsubscribe(Unsubscribe(packetID: 10, filters: [try TopicFilter("a/b")])),
                "A2 08 000A 00 0003 612F62"
            ),
            (.unsuback(SubAck(packetID: 10, reasons: [.success, .noSubscriptionExisted])), "B0 05 000A 00 00 11"),
            (.pingreq, "C0 00"),
            (.pingresp, "D0 00"),
            (.disconnect(Disconnect()), "E0 00"),
            (.disconnect(Disconnect(reason: .sessionTakenOver)), "E0 01 8E"),
            (
                .disconnect(
                    Disconnect(reason: .success, properties: properties { $0.sessionExpiryInterval = 0 })),
                "E0 07 00 05 11 00000000"
            ),
            (.auth(Auth(reason: .success)), "F0 00"),
            (
                .auth(
                    Auth(
                        reason: .continueAuthentication,
                        properties: try properties {
                            try $0.set(.authenticationMethod, to: "m")
                            try $0.set(authenticationData: ByteBuffer(bytes: [9]))
                        })),
                "F0 0A 18 08 15 0001 6D 16 0001 09"
            ),
        ]
        return samples.map { MQTTSample(version: .v5, packet: $0.0, hex: $0.1) }
    }
}
