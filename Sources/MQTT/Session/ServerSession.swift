public import NIOCore

/// The server's side of one connection: packets in, decisions out, without a socket, a clock or a thread.
///
/// ```
/// opening ──CONNECT──▶ authenticating ──accept──▶ established ──▶ closed
///    │                       └─────refuse─────────────────────────▶ ▲
///    └──────────────── anything else, or too late ──────────────────┘
/// ```
///
/// Every method appends what must be sent to `output`; the owner sends it in one piece when it has no more events. An
/// `Ending` is returned exactly once: send what was written, then close the network connection.
public struct ServerSession: ~Copyable {
    /// Where the connection stands before it is accepted and after it ended.
    private enum Outside {
        case opening(until: NIODeadline)
        indirect case authenticating(Connect)
        case closed
    }

    /// What the owner has to do next.
    public enum Action: Sendable {
        /// Decide who this is, then call `accept` or `refuse`. Nothing more is read before that.
        indirect case authenticate(Connect)
        /// Take a message; with a handle, acknowledge it once it is safe.
        case publish(Publish, PublishHandle?)
        /// Decide on each filter, then call `answer`.
        case subscribe(SubscribeRequest)
        /// These filters are subscribed no longer; the client has been told.
        case unsubscribed([TopicFilter])
        /// The client acknowledged the message with this number.
        case delivered(UInt64)
        /// The message with this number will not reach the client.
        case undelivered(UInt64, DeliveryFailure)
        /// Send what was written, close, and see to the rest.
        indirect case end(Ending)
    }

    private var outside: Outside
    /// The session from `accept` to its end; an optional, because a packet changes it in place and an enum's payload
    /// would have to be moved out and back each time. While it is there, `outside` is `closed`.
    private var established: Established?
    private var decoder: PacketDecoder

    /// A session for a connection that was opened now.
    public init(limits: Limits = .init(), at now: NIODeadline) {
        outside = .opening(until: now + .seconds(Int64(limits.connectSeconds)))
        decoder = PacketDecoder(limits: limits)
    }

    // MARK: What the owner may ask

    /// The version that the client speaks, nil until it has said so.
    public var version: ProtocolVersion? { decoder.version }

    /// When `timeOut` must be called unless something is received before.
    public var deadline: NIODeadline? {
        if case .opening(let until) = outside { until } else { established?.deadline ?? nil }
    }

    /// Whether the owner should go on reading from the network; when not, it calls `receive` again after `accept` or
    /// after it acknowledged something.
    public var wantsInput: Bool {
        if case .opening = outside { true } else { established?.wantsInput ?? false }
    }

    /// Whether the connection was accepted and has not ended.
    public var isEstablished: Bool { established != nil }

    /// The number of messages handed to the owner and not yet acknowledged.
    public var unacknowledgedCount: Int { established?.unacknowledgedCount ?? 0 }

    /// The subscriptions that the owner granted.
    public var subscriptions: [Subscription] { established?.granted ?? [] }

    // MARK: What happens on the network

    /// Takes packets from `input` until one of them needs the owner, or more bytes are needed (nil).
    ///
    /// Call it again until it returns nil. Messages share the storage of `input`.
    public mutating func receive(
        from input: inout ByteBuffer, into output: inout ByteBuffer, at now: NIODeadline
    ) -> Action? {
        do throws(ProtocolViolation) {
            if let action = try established?.receive(from: &input, using: decoder, into: &output, at: now) {
                if case .end = action { established = nil }
                return action
            }
            guard case .opening = outside, case .connect(let connect)? = try decoder.next(from: &input) else {
                return nil
            }
            try Self.check(connect)
            outside = .authenticating(connect)
            return .authenticate(connect)
        } catch {
            return .end(end(error, into: &output))
        }
    }

    /// The network connection is gone; nil when the session had ended before.
    public mutating func connectionLost() -> Ending? {
        if let ending = established?.end(.lost, reason: .unspecifiedError) {
            established = nil
            return ending
        }
        if case .closed = outside { return nil }
        outside = .closed
        return Ending(cause: .lost, reason: .unspecifiedError)
    }

    /// The owner did not read until now, so the silence so far is not the client's.
    public mutating func forgiveSilence(at now: NIODeadline) { established?.forgiveSilence(at: now) }

    /// Ends the connection if its deadline has passed (section 3.1.2.10, [MQTT-3.1.2-22]).
    public mutating func timeOut(at now: NIODeadline, into output: inout ByteBuffer) -> Ending? {
        guard let deadline, deadline <= now else { return nil }
        if let ending = leave(.silence, reason: .keepAliveTimeout, into: &output) { return ending }
        outside = .closed
        return Ending(cause: .silence, reason: .keepAliveTimeout)
    }

    // MARK: What the owner decides

    /// Lets the client in under the name `clientID`, which is told to a version 5 client that gave none.
    ///
    /// `kept` is the session stored for that name, if any; it is ignored when the client wants a clean start. `limits`
    /// replaces the listener's, for instance by those of a plan. Returns an ending when the client accepts packets so
    /// small that it cannot even be let in.
    public mutating func accept(
        clientID: String, resuming kept: SessionState? = nil, limits: Limits? = nil, into output: inout ByteBuffer,
        at now: NIODeadline
    ) -> Ending? {
        guard case .authenticating(let connect) = outside else { return nil }
        outside = .closed
        if let limits { decoder.limits = limits }
        var session = Established(
            connect, clientID: clientID, resuming: connect.cleanStart ? nil : kept, limits: decoder.limits, at: now)
        guard session.open(connect, into: &output, at: now) else {
            return Ending(cause: .server, reason: .packetTooLarge)
        }
        established = session
        return nil
    }

    /// Turns the client away. `text` is for the person who debugs the device; give none to strangers.
    public mutating func refuse(
        _ reason: ReasonCode, text: String? = nil, into output: inout ByteBuffer
    ) -> Ending? {
        guard case .authenticating(let connect) = outside else { return nil }
        outside = .closed
        Self.refuse(
            reason, text: text, version: connect.version, largest: connect.properties.maximumPacketSize, into: &output)
        return Ending(cause: .server, reason: reason)
    }

    /// Acknowledges one message, as accepted or, in version 5, with another reason; 3.1.1 knows only acceptance (3.1.1,
    /// [MQTT-3.3.5-2]). `text` is for the person who debugs the device, and left out where the client wants none.
    public mutating func acknowledge(
        _ handle: PublishHandle, reason: ReasonCode = .success, text: String? = nil, into output: inout ByteBuffer
    ) {
        established?.acknowledge(handle, reason, text: text, into: &output)
    }

    /// Acknowledges this message and all that came before it: one call for everything that a group commit made safe.
    public mutating func acknowledge(through handle: PublishHandle, into output: inout ByteBuffer) {
        established?.acknowledge(through: handle, into: &output)
    }

    /// Answers a SUBSCRIBE with one reason for each filter. Messages go out with QoS 1 at most, so no more is granted.
    public mutating func answer(
        _ request: SubscribeRequest, with reasons: [ReasonCode], into output: inout ByteBuffer
    ) -> Ending? {
        guard established?.answer(request, with: reasons, into: &output) == false else { return nil }
        return leave(.server, reason: .packetTooLarge, into: &output)
    }

    /// Sends a message to the client, or lets it wait for room; nil means that either happened.
    public mutating func send(
        _ message: OutboundMessage, into output: inout ByteBuffer, at now: NIODeadline
    ) -> DeliveryFailure? {
        guard isEstablished else { return .notConnected }
        return established?.send(message, into: &output, at: now) ?? nil
    }

    /// Ends the connection and, in version 5, says why; nil when it had ended before.
    public mutating func disconnect(
        _ reason: ReasonCode, text: String? = nil, into output: inout ByteBuffer
    ) -> Ending? {
        switch outside {
        case .opening:
            outside = .closed
            return Ending(cause: .server, reason: reason)
        case .authenticating:
            // No DISCONNECT before CONNACK [MQTT-3.14.0-1].
            return refuse(reason.isAllowed(in: .connack) ? reason : .serverUnavailable, text: text, into: &output)
        case .closed: return leave(.server, reason: reason, text: text, into: &output)
        }
    }

    /// Says goodbye to a client that was let in; nil when there is none.
    private mutating func leave(
        _ cause: Ending.Cause, reason: ReasonCode, text: String? = nil, into output: inout ByteBuffer
    ) -> Ending? {
        defer { established = nil }
        return established?.disconnect(cause, reason: reason, text: text, into: &output)
    }
}

// MARK: - The start of a connection

extension ServerSession {
    /// What can be refused without knowing the client.
    private static func check(_ connect: Connect) throws(ProtocolViolation) {
        switch connect.version {
        case .v311:
            // 3.1.1, [MQTT-3.1.3-8]
            guard connect.cleanStart || !connect.clientID.isEmpty else {
                throw ProtocolViolation(.clientIdentifierNotValid, "a kept session needs a client identifier")
            }
        case .v5:
            // No method of enhanced authentication is supported [MQTT-4.12.0-1].
            guard connect.properties[.authenticationMethod] == nil else {
                throw ProtocolViolation(.badAuthenticationMethod, "the authentication method is not supported")
            }
            guard connect.will?.retain != true else {
                throw ProtocolViolation(.retainNotSupported, "the will asks to be retained")  // [MQTT-3.2.2-13]
            }
        }
    }

    private mutating func end(_ violation: ProtocolViolation, into output: inout ByteBuffer) -> Ending {
        let cause = Ending.Cause.violation(violation.message.description)
        if let ending = leave(cause, reason: violation.code, into: &output) { return ending }
        outside = .closed
        if let level = decoder.unknownLevel {
            // 3.1.1, [MQTT-3.1.2-2] and 5.0, [MQTT-3.1.2-2]: answered in the nearest version. Bit 7 marks a bridge.
            let version: ProtocolVersion = level & 0x7F > ProtocolVersion.v5.rawValue ? .v5 : .v311
            Self.refuse(violation.code, text: nil, version: version, largest: nil, into: &output)
        } else if let version = decoder.version {
            let code: ReasonCode = violation.code.isAllowed(in: .connack) ? violation.code : .protocolError
            Self.refuse(code, text: nil, version: version, largest: nil, into: &output)
        }
        return Ending(cause: cause, reason: violation.code)
    }

    /// Writes a CONNACK that refuses, where the version has a code for the reason.
    private static func refuse(
        _ reason: ReasonCode, text: String?, version: ProtocolVersion, largest: UInt32?, into output: inout ByteBuffer
    ) {
        let code = reason.isAllowed(in: .connack) && reason.isError ? reason : .unspecifiedError
        let start = output.writerIndex
        if let text, version == .v5 {
            var properties = Properties()
            try? properties.set(.reasonString, to: text)
            try? Packet.connack(ConnAck(reason: code, properties: properties)).write(to: &output, version: version)
            // [MQTT-3.2.2-19]
            guard output.writerIndex - start > Int(largest ?? .max) else { return }
            output.moveWriterIndex(to: start)
        }
        // In 3.1.1 a reason without return code is not written (3.1.1, [MQTT-3.2.2-6]).
        try? Packet.connack(ConnAck(reason: code)).write(to: &output, version: version)
    }
}
