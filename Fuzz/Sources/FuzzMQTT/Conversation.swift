import MQTT
import NIOCore

/// Lets a session hear the bytes and plays an owner who agrees to everything.
func converse(_ bytes: UnsafeBufferPointer<UInt8>, _ choice: Choice) {
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var kept: SessionState?
    var input = ByteBuffer()
    var rest = bytes[...]
    for _ in 0..<2 {
        var session = ServerSession(limits: choice.limits, at: now)
        var output = ByteBuffer()
        var owner = Owner(kept: kept, isSlow: choice.contains(.slowOwner))
        if choice.contains(.connected) {
            var connect = Connect(version: choice.version, clientID: "fuzz", cleanStart: false)
            connect.properties.sessionExpiryInterval = 60
            try? Packet.connect(connect).write(to: &input, version: choice.version)
        }
        while !rest.isEmpty, owner.ending == nil {
            let size = choice.contains(.drip) ? 1 : rest.count
            input.writeBytes(rest.prefix(size))
            rest = rest.dropFirst(size)
            owner.serve(&session, &input, &output, now)
            now = now + .milliseconds(1)
        }
        owner.finish(&session, &input, &output, now)
        // A version unknown here is refused in the nearest one.
        check(output, session.version ?? (output.readableBytes == 4 ? .v311 : .v5), owner)
        kept = owner.ending?.state
        // The second connection of the same client hears what the first did not take.
    }
}

/// An owner of the session.
private struct Owner {
    var kept: SessionState?
    var isSlow: Bool
    var ending: Ending?
    var open: [PublishHandle] = []
    var accepted = 0
    private var sent: UInt64 = 0

    init(kept: SessionState?, isSlow: Bool) {
        self.kept = kept
        self.isSlow = isSlow
    }

    mutating func serve(
        _ session: inout ServerSession, _ input: inout ByteBuffer, _ output: inout ByteBuffer, _ now: NIODeadline
    ) {
        while ending == nil, let action = session.receive(from: &input, into: &output, at: now) {
            switch action {
            case .authenticate: ending = session.accept(clientID: "fuzz", resuming: kept, into: &output, at: now)
            case .publish(let publish, let handle):
                precondition(!publish.topic.isEmpty, "a message without topic")
                precondition((handle == nil) == (publish.qos == .atMostOnce), "a handle where none belongs")
                guard let handle else { continue }
                accepted += 1
                if isSlow { open.append(handle) } else { session.acknowledge(handle, into: &output) }
            case .subscribe(let request):
                ending = session.answer(request, with: request.subscriptions.map { _ in .grantedQoS1 }, into: &output)
                if let topic = try? Topic("down") {
                    sent += 1
                    let message = OutboundMessage(id: sent, topic: topic, payload: ByteBuffer(string: "x"))
                    _ = session.send(message, into: &output, at: now)
                }
            case .unsubscribed, .delivered, .undelivered: break
            case .end(let end): ending = end
            }
        }
        precondition(ending == nil || !session.isEstablished, "an ended session lives on")
    }

    /// Acknowledges what is open, hears what was held back by that, and lets the connection break.
    mutating func finish(
        _ session: inout ServerSession, _ input: inout ByteBuffer, _ output: inout ByteBuffer, _ now: NIODeadline
    ) {
        while ending == nil, let last = open.last {
            open = []
            session.acknowledge(through: last, into: &output)
            precondition(session.unacknowledgedCount == 0, "an acknowledged message waits")
            serve(&session, &input, &output, now)
        }
        if ending == nil { ending = session.connectionLost() }
        precondition(session.connectionLost() == nil, "an end was told twice")
    }
}

/// What was sent must be readable by a client, and no message is acknowledged more often than it was accepted.
private func check(_ output: ByteBuffer, _ version: ProtocolVersion, _ owner: Owner) {
    var output = output
    var decoder = PacketDecoder(version: version, limits: .specification)
    var acknowledged = 0
    var connacks = 0
    while output.readableBytes > 0 {
        guard let packet = try? decoder.next(from: &output) else {
            preconditionFailure("something unreadable was sent: \(output)")
        }
        switch packet {
        case .connack: connacks += 1
        case .puback: acknowledged += 1
        default: break
        }
    }
    precondition(connacks <= 1, "CONNACK was sent twice")  // [MQTT-3.2.0-2]
    precondition(acknowledged <= owner.accepted, "a message was acknowledged that was never accepted")
}
