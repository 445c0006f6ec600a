import MQTT
import NIOCore

/// A session and the client that talks to it, for transcripts: actions become short words, answers become packets.
final class MQTTDialogue {
    var session: ServerSession
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    var input = ByteBuffer()
    var output = ByteBuffer()
    let version: ProtocolVersion
    private var client: PacketDecoder
    private(set) var handles: [PublishHandle] = []
    private(set) var messages: [Publish] = []
    private(set) var requests: [SubscribeRequest] = []
    private(set) var endings: [Ending] = []

    var ending: Ending? { endings.last }

    // The expectation macros cannot look into a value that cannot be copied.
    var isEstablished: Bool { session.isEstablished }
    var wantsInput: Bool { session.wantsInput }
    var deadline: NIODeadline? { session.deadline }
    var subscriptions: [Subscription] { session.subscriptions }
    var unacknowledgedCount: Int { session.unacknowledgedCount }

    /// A connection on which nothing was said yet.
    init(_ version: ProtocolVersion = .v5, limits: Limits = .init()) {
        session = ServerSession(limits: limits, at: now)
        self.version = version
        client = PacketDecoder(version: version, limits: .specification)
    }

    /// A connection whose client was let in, and whose CONNACK was taken away.
    static func established(
        _ version: ProtocolVersion = .v5, limits: Limits = .init(), resuming kept: SessionState? = nil,
        change: (inout Connect) throws -> Void = { _ in }
    ) throws -> (MQTTDialogue, [Packet]) {
        let dialogue = MQTTDialogue(version, limits: limits)
        var connect = Connect(version: version, clientID: "meter-1", cleanStart: false)
        try change(&connect)
        _ = try dialogue.say(.connect(connect))
        dialogue.note(
            dialogue.session.accept(clientID: "meter-1", resuming: kept, into: &dialogue.output, at: dialogue.now))
        return (dialogue, try dialogue.heard())
    }

    /// The client sends these packets; returns what the session wants from its owner.
    func say(_ packets: Packet...) throws -> [String] {
        for packet in packets { try packet.write(to: &input, version: version) }
        return take()
    }

    /// The client sends these bytes.
    func say(hex: String) -> [String] {
        input.writeImmutableBuffer(MQTTSample.buffer(hex))
        return take()
    }

    /// What the session wants from its owner with the bytes that are there.
    func take() -> [String] {
        var words: [String] = []
        while let action = session.receive(from: &input, into: &output, at: now) { words.append(note(action)) }
        return words
    }

    /// What the client hears.
    func heard() throws -> [Packet] {
        var packets: [Packet] = []
        while let packet = try client.next(from: &output) { packets.append(packet) }
        return packets
    }

    func acknowledge(_ number: Int, _ reason: ReasonCode = .success) {
        session.acknowledge(handles[number], reason: reason, into: &output)
    }

    func acknowledge(through number: Int) { session.acknowledge(through: handles[number], into: &output) }

    func answer(_ number: Int, _ reasons: ReasonCode...) {
        note(session.answer(requests[number], with: reasons, into: &output))
    }

    func send(
        _ id: UInt64, _ topic: String = "tasks", payload: String = "x", qos: QoS = .atLeastOnce,
        expires: NIODeadline? = nil
    ) throws -> DeliveryFailure? {
        let message = OutboundMessage(
            id: id, topic: try Topic(topic), payload: ByteBuffer(string: payload), qos: qos, expires: expires)
        return session.send(message, into: &output, at: now)
    }

    func disconnect(_ reason: ReasonCode, text: String? = nil) {
        note(session.disconnect(reason, text: text, into: &output))
    }

    func timeOut() { note(session.timeOut(at: now, into: &output)) }

    func lose() { note(session.connectionLost()) }

    /// The session that is left after the connection broke.
    func kept() -> SessionState? {
        lose()
        return ending?.state
    }

    func note(_ ending: Ending?) {
        if let ending { endings.append(ending) }
    }

    private func note(_ action: ServerSession.Action) -> String {
        switch action {
        case .authenticate(let connect): return "authenticate \(connect.clientID)"
        case .publish(let publish, let handle):
            messages.append(publish)
            if let handle { handles.append(handle) }
            return "publish \(publish.topic) \(String(buffer: publish.payload))"
        case .subscribe(let request):
            requests.append(request)
            return "subscribe " + request.subscriptions.map(\.filter.text).joined(separator: " ")
        case .unsubscribed(let filters): return "unsubscribed " + filters.map(\.text).joined(separator: " ")
        case .delivered(let id): return "delivered \(id)"
        case .undelivered(let id, let failure): return "undelivered \(id) \(failure)"
        case .end(let ending):
            endings.append(ending)
            return "end \(ending.reason)"
        }
    }
}

extension Packet {
    /// A message from the client, whose payload is its packet identifier.
    static func message(
        _ packetID: UInt16 = 0, _ qos: QoS = .atLeastOnce, topic: String = "t", dup: Bool = false
    ) throws -> Packet {
        .publish(
            Publish(
                topic: try Topic(topic), payload: ByteBuffer(string: "\(packetID)"), qos: qos, packetID: packetID,
                isDuplicate: dup))
    }

    static func ack(_ type: PacketType, _ packetID: UInt16, _ reason: ReasonCode = .success) -> Packet {
        let ack = Acknowledgement(packetID: packetID, reason: reason)
        switch type {
        case .pubrec: return .pubrec(ack)
        case .pubrel: return .pubrel(ack)
        case .pubcomp: return .pubcomp(ack)
        default: return .puback(ack)
        }
    }
}
