import NIOCore

/// A session whose client was let in.
struct Established {
    let version: ProtocolVersion
    let clientID: String
    let limits: Limits

    // What the client asked for.
    private let will: Will?
    private let sessionPresent: Bool
    private let requestedExpiry: UInt32
    /// Whether refusals may carry words [MQTT-3.1.2-29].
    let explains: Bool
    /// The longest silence in seconds, 0 for any.
    private let keepAlive: UInt16
    /// The largest packet that may be sent.
    let largestOutbound: Int
    /// The most messages that may be in flight to the client [MQTT-3.3.4-9].
    let window: Int
    /// The most messages that may be in flight from the client; never zero, which the protocol forbids.
    let receiveMaximum: UInt16

    // What changes as packets come.
    private var expiryInterval: UInt32
    private var lastReceived: NIODeadline
    /// A 3.1.1 client has more in flight than is accepted: its next message stays in the input until there is room.
    private var isHeldBack = false
    var aliases: TopicAliases
    var pending = AcknowledgementQueue()
    /// What the client counts against the receive maximum (5.0, section 4.9).
    var inFlight = 0
    var unreleased: Set<UInt16>
    /// QoS 2 messages that are in `pending` and await the owner's decision.
    var undecided: Set<UInt16> = []
    var subscriptions: [TopicFilter: Subscription]
    var openRequests = 0
    var outbox: Outbox

    init(
        _ connect: Connect, clientID: String, resuming kept: SessionState?, limits: Limits, at now: NIODeadline
    ) {
        version = connect.version
        self.clientID = clientID
        self.limits = limits
        will = connect.will?.detached
        sessionPresent = kept != nil
        let properties = connect.properties
        switch connect.version {
        case .v311: requestedExpiry = connect.cleanStart ? 0 : limits.sessionExpiryMaximum
        case .v5: requestedExpiry = properties.sessionExpiryInterval ?? 0
        }
        expiryInterval = min(requestedExpiry, limits.sessionExpiryMaximum)
        let isTooSlow =
            limits.keepAliveMaximum > 0 && (connect.keepAlive == 0 || connect.keepAlive > limits.keepAliveMaximum)
        explains = version == .v5 && properties.requestProblemInformation != false
        // Only version 5 can tell the client to hurry [MQTT-3.1.2-21].
        keepAlive = connect.version == .v5 && isTooSlow ? limits.keepAliveMaximum : connect.keepAlive
        largestOutbound = properties.maximumPacketSize.map(Int.init) ?? FixedHeader.largestPacket
        window = min(Int(properties.receiveMaximum ?? .max), limits.outboundInFlight)
        receiveMaximum = max(1, limits.receiveMaximum)
        lastReceived = now
        aliases = TopicAliases(maximum: limits.topicAliasMaximum)
        unreleased = kept?.unreleased ?? []
        subscriptions = kept?.subscriptions ?? [:]
        outbox = kept?.outbox ?? Outbox()
    }

    var unacknowledgedCount: Int { pending.count }

    var granted: [Subscription] { Array(subscriptions.values) }

    var wantsInput: Bool { !isHeldBack || pending.count < Int(receiveMaximum) }

    /// One and a half times the keep alive after the last packet [MQTT-3.1.2-22]; none while the client is held back,
    /// because then its packets are there and are not read.
    var deadline: NIODeadline? {
        guard keepAlive > 0, !isHeldBack else { return nil }
        return lastReceived + .milliseconds(Int64(keepAlive) * 1500)
    }

    mutating func forgiveSilence(at now: NIODeadline) { lastReceived = max(lastReceived, now) }

    // MARK: Opening

    /// Writes CONNACK and what an earlier connection left unfinished; false when not even CONNACK may be sent.
    mutating func open(_ connect: Connect, into output: inout ByteBuffer, at now: NIODeadline) -> Bool {
        let start = output.writerIndex
        let connack = ConnAck(sessionPresent: sessionPresent, properties: capabilities(for: connect))
        do throws(ProtocolViolation) {
            try Packet.connack(connack).write(to: &output, version: version)
        } catch {
            return false
        }
        guard output.writerIndex - start <= largestOutbound else {  // [MQTT-3.1.2-24]
            output.moveWriterIndex(to: start)
            return false
        }
        sendWaiting(into: &output, at: now)  // [MQTT-4.4.0-1]
        return true
    }

    /// What the server can do and allows, as far as it is not what the client assumes (5.0, section 3.2.2.3).
    private func capabilities(for connect: Connect) -> Properties {
        var properties = Properties()
        guard version == .v5 else { return properties }
        if expiryInterval != requestedExpiry { properties.sessionExpiryInterval = expiryInterval }
        if receiveMaximum < .max { properties.receiveMaximum = receiveMaximum }
        properties.retainAvailable = false
        if limits.packetSize < FixedHeader.largestPacket {
            properties.maximumPacketSize = UInt32(clamping: limits.packetSize)
        }
        // [MQTT-3.2.2-16]. A name is far shorter than what a property can carry.
        if connect.clientID.isEmpty { try? properties.set(.assignedClientIdentifier, to: clientID) }
        if limits.topicAliasMaximum > 0 { properties.topicAliasMaximum = limits.topicAliasMaximum }
        if !limits.wildcardSubscriptions { properties.wildcardSubscriptionAvailable = false }
        properties.subscriptionIdentifierAvailable = false
        properties.sharedSubscriptionAvailable = false
        if keepAlive != connect.keepAlive { properties.serverKeepAlive = keepAlive }
        return properties
    }

    // MARK: Packets

    mutating func receive(
        from input: inout ByteBuffer, using decoder: borrowing PacketDecoder, into output: inout ByteBuffer,
        at now: NIODeadline
    ) throws(ProtocolViolation) -> ServerSession.Action? {
        if let given = outbox.takeGiven() { return .undelivered(given.id, given.failure) }
        if isHeldBack {
            isHeldBack = false
            lastReceived = now
        }
        while let header = try decoder.header(of: input) {
            if header.type == .publish, holdsBack(header) {
                isHeldBack = true
                return nil
            }
            guard header.packetLength <= input.readableBytes else { return nil }
            lastReceived = now
            let action: ServerSession.Action?
            if header.type == .publish {
                let publish = try decoder.publish(header, in: input, version: version)
                input.moveReaderIndex(forwardBy: header.packetLength)
                action = try receive(publish, into: &output)
            } else {
                // Before it is read, because reading it could change the version [MQTT-3.1.0-2].
                guard header.type != .connect else { throw .protocolError("a second CONNECT") }
                var decoder = copy decoder
                let packet = try decoder.packet(header, in: input)
                input.moveReaderIndex(forwardBy: header.packetLength)
                action = try receive(packet, into: &output, at: now)
            }
            if let action { return action }
        }
        return nil
    }

    /// Whether the client must wait until the owner has acknowledged some of its messages.
    private func holdsBack(_ header: FixedHeader) -> Bool {
        version == .v311 && header.flags & 0x06 != 0 && pending.count >= Int(receiveMaximum)
    }

    private mutating func receive(
        _ packet: Packet, into output: inout ByteBuffer, at now: NIODeadline
    ) throws(ProtocolViolation) -> ServerSession.Action? {
        switch packet {
        case .publish(let publish): return try receive(publish, into: &output)
        case .pubrel(let release):
            try receive(release: release, into: &output)
            return nil
        case .puback(let ack): return received(ack, into: &output, at: now)
        case .pubrec(let ack):
            try received(unexpected: ack, into: &output)
            return nil
        case .pubcomp: return nil  // Nothing is sent with QoS 2, so it completes nothing.
        case .subscribe(let subscribe): return .subscribe(try receive(subscribe))
        case .unsubscribe(let unsubscribe): return try receive(unsubscribe, into: &output)
        case .pingreq:
            output.writeInteger(UInt16(0xD000))  // PINGRESP [MQTT-3.12.4-1]
            return nil
        case .disconnect(let disconnect): return .end(try receive(disconnect))
        case .connect: throw .protocolError("a second CONNECT")
        case .auth: throw .protocolError("AUTH without an authentication method")  // [MQTT-4.12.0-7]
        case .connack, .suback, .unsuback, .pingresp: throw .protocolError("a packet that only servers send")
        }
    }

    // MARK: Ending

    /// Section 3.14.4.
    private mutating func receive(_ disconnect: Disconnect) throws(ProtocolViolation) -> Ending {
        guard disconnect.reason.isClientDisconnect else {
            throw .protocolError("a reason that only servers give")  // section 3.14.2.1
        }
        if let interval = disconnect.properties.sessionExpiryInterval {
            guard interval == 0 || requestedExpiry > 0 else {
                throw .protocolError("a session that was to end is to be kept")  // section 3.14.2.2.2
            }
            expiryInterval = min(interval, limits.sessionExpiryMaximum)
        }
        var ending = end(.client, reason: disconnect.reason)
        if disconnect.reason == .success { ending.will = nil }  // [MQTT-3.14.4-3]
        return ending
    }

    /// Says goodbye as far as the version can, and ends.
    mutating func disconnect(
        _ cause: Ending.Cause, reason: ReasonCode, text: String?, into output: inout ByteBuffer
    ) -> Ending {
        if version == .v5 {
            var packet = Disconnect(reason: reason.isAllowed(in: .disconnect) ? reason : .unspecifiedError)
            if let text { try? packet.properties.set(.reasonString, to: text) }
            // [MQTT-3.14.2-3]
            if !write(.disconnect(packet), into: &output), text != nil {
                packet.properties = Properties()
                write(.disconnect(packet), into: &output)
            }
        }
        return end(cause, reason: reason)
    }

    /// What is left of the session.
    mutating func end(_ cause: Ending.Cause, reason: ReasonCode) -> Ending {
        outbox.connectionEnded()
        var ending = Ending(cause: cause, reason: reason, will: will)
        if let will { ending.willDelay = min(will.properties.willDelayInterval ?? 0, expiryInterval) }
        guard expiryInterval > 0 else { return ending }
        let undecided = pending.waiting.compactMap { handle, entry in
            entry.qos == .exactlyOnce && entry.decision == nil ? (handle, entry.packetID) : nil
        }
        // Decided, but behind an undecided one: accepted, although PUBREC could not leave any more.
        for (_, entry) in pending.waiting where entry.qos == .exactlyOnce {
            if let decision = entry.decision, !decision.isError { unreleased.insert(entry.packetID) }
        }
        ending.state = SessionState(
            expiryInterval: expiryInterval, subscriptions: subscriptions, outbox: outbox, unreleased: unreleased,
            undecided: Dictionary(uniqueKeysWithValues: undecided))
        return ending
    }

    /// Writes a packet unless it is larger than the client accepts [MQTT-3.1.2-24].
    @discardableResult
    func write(_ packet: Packet, into output: inout ByteBuffer) -> Bool {
        let start = output.writerIndex
        guard (try? packet.write(to: &output, version: version)) != nil else { return false }
        guard output.writerIndex - start <= largestOutbound else {
            output.moveWriterIndex(to: start)
            return false
        }
        return true
    }
}
