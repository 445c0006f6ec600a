import MQTT
import NIOCore
import Testing

@Suite struct MQTTRoundTripTests {
    /// Makes any packet that a version allows.
    private struct Maker {
        var random: MQTTSeededGenerator
        let version: ProtocolVersion

        mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        mutating func coin() -> Bool { Bool.random(using: &random) }

        mutating func text(_ length: ClosedRange<Int> = 0...20) -> String {
            let alphabet: [Character] = ["a", "Z", "0", " ", "-", "ä", "€", "𝄞", "_", "."]
            return String((0..<number(length)).map { _ in alphabet[number(0...alphabet.count - 1)] })
        }

        mutating func bytes(_ length: ClosedRange<Int> = 0...300) -> ByteBuffer {
            ByteBuffer(bytes: (0..<number(length)).map { _ in UInt8.random(in: 0...255, using: &random) })
        }

        mutating func topic() throws -> Topic {
            try Topic((0..<number(1...4)).map { _ in text(1...8) }.joined(separator: "/"))
        }

        mutating func filter() throws -> TopicFilter {
            var levels = (0..<number(1...4)).map { _ in number(0...3) == 0 ? "+" : text(1...8) }
            if number(0...3) == 0 { levels.append("#") }
            return try TopicFilter(levels.joined(separator: "/"))
        }

        mutating func packetID() -> UInt16 { UInt16(number(1...65_535)) }
        mutating func qos() -> QoS { QoS(rawValue: UInt8(number(0...2))) ?? .atMostOnce }

        mutating func reason(_ type: PacketType) -> ReasonCode {
            ReasonCode.allCases.filter { $0.isAllowed(in: type) }.randomElement(using: &random) ?? .success
        }

        mutating func properties(_ fill: (inout Maker, inout Properties) throws -> Void) throws -> Properties {
            var properties = Properties()
            guard version == .v5 else { return properties }
            try fill(&self, &properties)
            for _ in 0..<number(0...3) { try properties.append(UserProperty(text(), text())) }
            return properties
        }

        mutating func plain() throws -> Properties {
            try properties { maker, properties in
                if maker.coin() { try properties.set(.reasonString, to: maker.text()) }
            }
        }

        mutating func message(isWill: Bool) throws -> Properties {
            try properties { maker, properties in
                if maker.coin() { properties.payloadIsText = maker.coin() }
                if maker.coin() { properties.messageExpiryInterval = UInt32(maker.number(0...Int(UInt32.max))) }
                if maker.coin() { try properties.set(.contentType, to: maker.text()) }
                if maker.coin() { try properties.set(.responseTopic, to: try maker.topic().string) }
                if maker.coin() { try properties.set(correlationData: maker.bytes()) }
                if isWill {
                    if maker.coin() { properties.willDelayInterval = UInt32(maker.number(0...1000)) }
                } else {
                    if maker.coin() { properties.topicAlias = maker.packetID() }
                    for _ in 0..<maker.number(0...2) {
                        properties.append(subscriptionIdentifier: UInt32(maker.number(1...268_435_455)))
                    }
                }
            }
        }

        mutating func connect() throws -> Connect {
            var connect = Connect(
                version: version, clientID: text(), cleanStart: coin(), keepAlive: UInt16(number(0...65_535)))
            if coin() {
                connect.will = Will(
                    topic: try topic(), payload: bytes(), qos: qos(), retain: coin(),
                    properties: try message(isWill: true))
            }
            if coin() { connect.userName = text() }
            if coin(), version == .v5 || connect.userName != nil { connect.password = bytes() }
            connect.properties = try properties { maker, properties in
                if maker.coin() { properties.sessionExpiryInterval = UInt32(maker.number(0...Int(UInt32.max))) }
                if maker.coin() { properties.receiveMaximum = maker.packetID() }
                if maker.coin() { properties.maximumPacketSize = UInt32(maker.number(1...1_000_000)) }
                if maker.coin() { properties.topicAliasMaximum = UInt16(maker.number(0...65_535)) }
                if maker.coin() { properties.requestProblemInformation = maker.coin() }
                if maker.coin() { properties.requestResponseInformation = maker.coin() }
                if maker.coin() {
                    try properties.set(.authenticationMethod, to: maker.text())
                    if maker.coin() { try properties.set(authenticationData: maker.bytes()) }
                }
            }
            return connect
        }

        mutating func connack() throws -> ConnAck {
            let reasons: [ReasonCode] = [
                .success, .unsupportedProtocolVersion, .clientIdentifierNotValid, .serverUnavailable,
                .badUserNameOrPassword, .notAuthorized,
            ]
            let reason = version == .v5 ? reason(.connack) : reasons[number(0...5)]
            return ConnAck(
                sessionPresent: reason == .success && coin(), reason: reason,
                properties: try properties { maker, properties in
                    if maker.coin() { properties.maximumQoS = maker.coin() ? .atMostOnce : .atLeastOnce }
                    if maker.coin() { properties.retainAvailable = maker.coin() }
                    if maker.coin() { properties.serverKeepAlive = maker.packetID() }
                    if maker.coin() { try properties.set(.assignedClientIdentifier, to: maker.text()) }
                    if maker.coin() { try properties.set(.responseInformation, to: maker.text()) }
                    if maker.coin() { try properties.set(.serverReference, to: maker.text()) }
                    if maker.coin() { properties.wildcardSubscriptionAvailable = maker.coin() }
                })
        }

        mutating func publish() throws -> Publish {
            let qos = qos()
            return Publish(
                topic: try topic(), payload: bytes(), qos: qos, packetID: qos == .atMostOnce ? 0 : packetID(),
                retain: coin(), isDuplicate: qos != .atMostOnce && coin(), properties: try message(isWill: false))
        }

        mutating func acknowledgement(_ type: PacketType) throws -> Acknowledgement {
            Acknowledgement(
                packetID: packetID(), reason: version == .v5 ? reason(type) : .success, properties: try plain())
        }

        mutating func subscription() throws -> Subscription {
            let isNew = version == .v5
            return Subscription(
                try filter(), maximumQoS: qos(), noLocal: isNew && coin(), retainAsPublished: isNew && coin(),
                retainHandling: isNew ? Subscription.RetainHandling(rawValue: UInt8(number(0...2))) ?? .send : .send)
        }

        mutating func subAck(_ type: PacketType) throws -> SubAck {
            let old: [ReasonCode] = [.success, .grantedQoS1, .grantedQoS2, .unspecifiedError]
            var reasons = (0..<number(1...8)).map { _ in version == .v5 ? reason(type) : old[number(0...3)] }
            if version == .v311, type == .unsuback { reasons = [] }
            return SubAck(packetID: packetID(), reasons: reasons, properties: try plain())
        }

        mutating func packet(_ type: PacketType) throws -> Packet {
            switch type {
            case .connect: .connect(try connect())
            case .connack: .connack(try connack())
            case .publish: .publish(try publish())
            case .puback: .puback(try acknowledgement(type))
            case .pubrec: .pubrec(try acknowledgement(type))
            case .pubrel: .pubrel(try acknowledgement(type))
            case .pubcomp: .pubcomp(try acknowledgement(type))
            case .subscribe:
                .subscribe(
                    Subscribe(
                        packetID: packetID(), subscriptions: try (0..<number(1...8)).map { _ in try subscription() },
                        properties: try properties { maker, properties in
                            if maker.coin() { properties.append(subscriptionIdentifier: 7) }
                        }))
            case .suback: .suback(try subAck(type))
            case .unsubscribe:
                .unsubscribe(
                    Unsubscribe(
                        packetID: packetID(), filters: try (0..<number(1...8)).map { _ in try filter() },
                        properties: try properties { _, _ in }))
            case .unsuback: .unsuback(try subAck(type))
            case .pingreq: .pingreq
            case .pingresp: .pingresp
            case .disconnect:
                .disconnect(
                    version == .v5 ? Disconnect(reason: reason(.disconnect), properties: try plain()) : Disconnect())
            case .auth: .auth(Auth(reason: reason(.auth), properties: try plain()))
            }
        }
    }

    @Test("any packet is read back as it was written, whole or in pieces", arguments: Array(1...20) as [UInt64])
    func roundTrip(_ seed: UInt64) throws {
        for version in [ProtocolVersion.v311, .v5] {
            var maker = Maker(random: MQTTSeededGenerator(seed: seed), version: version)
            for type in PacketType.allCases where type != .auth || version == .v5 {
                for _ in 0..<10 {
                    let packet = try maker.packet(type)
                    var buffer = ByteBuffer()
                    try packet.write(to: &buffer, version: version)
                    let written = buffer
                    var decoder = PacketDecoder(version: version, limits: .specification)
                    let read = try decoder.next(from: &buffer)
                    #expect(read == packet)
                    #expect(buffer.readableBytes == 0)
                    var again = ByteBuffer()
                    try read?.write(to: &again, version: version)
                    #expect(again == written)
                    // Any front part is incomplete, never wrong.
                    let cut = maker.number(0...written.readableBytes - 1)
                    var part = written.getSlice(at: 0, length: cut) ?? ByteBuffer()
                    #expect(try decoder.next(from: &part) == nil)
                }
            }
        }
    }

    @Test(
        "a damaged packet is read, refused or awaited, but never stops the program",
        arguments: Array(1...20) as [UInt64])
    func damage(_ seed: UInt64) throws {
        for version in [ProtocolVersion.v311, .v5] {
            var maker = Maker(random: MQTTSeededGenerator(seed: seed &+ 1000), version: version)
            for type in PacketType.allCases where type != .auth || version == .v5 {
                for _ in 0..<20 {
                    var buffer = ByteBuffer()
                    try maker.packet(type).write(to: &buffer, version: version)
                    for _ in 0...maker.number(0...3) {
                        let place = maker.number(0...buffer.readableBytes - 1)
                        buffer.setInteger(UInt8(maker.number(0...255)), at: place)
                    }
                    var decoder = PacketDecoder(version: version)
                    _ = try? decoder.next(from: &buffer)
                }
            }
        }
    }
}
