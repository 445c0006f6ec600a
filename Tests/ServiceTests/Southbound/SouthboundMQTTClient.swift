import Foundation
import MQTT
import NIOCore
import NIOPosix
import Testing

/// A device that speaks MQTT packet by packet over TLS.
final class SouthboundMQTTClient {
    let client: SouthboundClient
    let version: ProtocolVersion
    private var decoder: PacketDecoder
    private var input = ByteBuffer()
    /// What came and was not asked for yet.
    private(set) var heard: [Packet] = []
    private var lastPacketID: UInt16 = 0

    /// A device that was let in; `change` may alter what it says first.
    static func connect(
        _ south: SouthboundFixture, _ credential: SouthboundFixture.Credential, _ version: ProtocolVersion = .v5,
        _ change: (inout Connect) throws -> Void = { _ in }
    ) async throws -> SouthboundMQTTClient {
        let client = SouthboundMQTTClient(
            try await SouthboundClient.connect(port: south.mqtt, .init(credential: credential, protocols: [])), version)
        var connect = Connect(version: version, clientID: "device")
        try change(&connect)
        try client.send(.connect(connect))
        let packet = try await client.next("CONNACK")
        guard case .connack(let connack)? = packet else {
            Issue.record("\(String(describing: packet)) instead of CONNACK")
            return client
        }
        #expect(connack.reason == .success)
        client.sessionPresent = connack.sessionPresent
        return client
    }

    private(set) var sessionPresent = false

    private init(_ client: SouthboundClient, _ version: ProtocolVersion) {
        self.client = client
        self.version = version
        decoder = PacketDecoder(version: version, limits: .specification)
    }

    func send(_ packets: Packet...) throws { try send(packets) }

    func send(_ packets: [Packet]) throws {
        var buffer = ByteBuffer()
        for packet in packets { try packet.write(to: &buffer, version: version) }
        client.send(buffer)
    }

    /// A message with the next packet identifier.
    func message(_ topic: String, _ payload: String, qos: QoS = .atLeastOnce) throws -> Publish {
        if qos != .atMostOnce { lastPacketID += 1 }
        return Publish(
            topic: try Topic(topic), payload: ByteBuffer(string: payload), qos: qos,
            packetID: qos == .atMostOnce ? 0 : lastPacketID)
    }

    /// Publishes with QoS 1 and says what PUBACK answered; nil when the server closed instead.
    func publish(_ topic: String, _ payload: String) async throws -> (reason: ReasonCode, text: String?)? {
        let message = try message(topic, payload)
        try send(.publish(message))
        while let packet = try await next("PUBACK") {
            guard case .puback(let ack) = packet else {
                heard.append(packet)
                continue
            }
            #expect(ack.packetID == message.packetID)
            return (ack.reason, ack.properties[.reasonString])
        }
        return nil
    }

    /// Subscribes and says what each filter was answered.
    func subscribe(_ filters: String..., qos: QoS = .atLeastOnce) async throws -> [ReasonCode] {
        lastPacketID += 1
        let subscriptions = try filters.map { Subscription(try TopicFilter($0), maximumQoS: qos) }
        try send(.subscribe(Subscribe(packetID: lastPacketID, subscriptions: subscriptions)))
        guard case .suback(let ack)? = try await next("SUBACK") else { return [] }
        return ack.reasons
    }

    /// The next message from the server as `topic payload`, acknowledged unless said otherwise; nil when it closed.
    func told(acknowledges: Bool = true) async throws -> String? {
        guard case .publish(let publish)? = try await next("a message") else { return nil }
        if acknowledges, publish.qos == .atLeastOnce {
            try send(.puback(Acknowledgement(packetID: publish.packetID)))
        }
        return "\(publish.topic) \(String(buffer: publish.payload))"
    }

    /// Whether nothing has come, by a round trip: what the server wrote before PINGRESP would be here.
    func hearsNothing() async throws -> Bool {
        try send(.pingreq)
        guard case .pingresp? = try await next("PINGRESP") else { return false }
        return true
    }

    /// The next packet; nil when the server closed the connection or says too little for too long.
    func next(_ what: String) async throws -> Packet? {
        if !heard.isEmpty { return heard.removeFirst() }
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(120)
        while true {
            let isClosed = client.isClosed
            input.writeBytes(client.takeBytes())
            if let packet = try decoder.next(from: &input) { return packet }
            if isClosed { return nil }
            guard clock.now < deadline else {
                Issue.record("\(what) did not come")
                return nil
            }
            try await clock.sleep(for: .milliseconds(2))
        }
    }

    /// Says goodbye, and waits until the server has closed.
    func disconnect() async throws {
        try send(.disconnect(Disconnect()))
        try await client.closed()
    }
}
