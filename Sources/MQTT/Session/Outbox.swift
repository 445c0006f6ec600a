public import NIOCore

/// A message for the client, with the number by which its owner knows it.
public struct OutboundMessage: Sendable, Hashable {
    /// The owner's own number, returned when the message was delivered or given up.
    public var id: UInt64
    /// Where it is published.
    public var topic: Topic
    /// The content.
    public var payload: ByteBuffer
    /// At most once or at least once; exactly once is sent as at least once.
    public var qos: QoS
    /// The properties of version 5; the expiry is set from `expires` when the message leaves.
    public var properties: Properties
    /// The moment from which it need not be sent any more.
    public var expires: NIODeadline?

    /// A message with these fields.
    public init(
        id: UInt64, topic: Topic, payload: ByteBuffer, qos: QoS = .atLeastOnce, properties: Properties = .init(),
        expires: NIODeadline? = nil
    ) {
        self.id = id
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.properties = properties
        self.expires = expires
    }
}

/// Why a message to the client was given up.
public enum DeliveryFailure: Sendable, Hashable {
    /// It waited past its expiry.
    case expired
    /// It is larger than the client accepts [MQTT-3.1.2-25].
    case tooLarge
    /// The queue of the session is full.
    case queueFull
    /// There is no connection, and a QoS 0 message does not wait for one.
    case notConnected
    /// The client refused it with this code.
    case refused(ReasonCode)
}

/// The QoS 1 messages on their way to a client: those sent and not acknowledged, then those that wait.
struct Outbox: Sendable {
    private struct InFlight: Sendable {
        var packetID: UInt16
        var message: OutboundMessage
        /// Whether it was sent on this connection, not only on an earlier one.
        var isSent: Bool
    }

    /// In the order of first sending, which a repetition keeps [MQTT-4.6.0-1].
    private var inFlight: [InFlight] = []
    private var waiting: [OutboundMessage] = []
    private var lastPacketID: UInt16 = 0
    private var sentCount = 0

    /// Messages given up while the queue moved, for the owner to hear of.
    private var given: [(id: UInt64, failure: DeliveryFailure)] = []

    var count: Int { inFlight.count + waiting.count }

    /// Puts a message at the end of the queue, unless `limit` messages wait.
    mutating func append(_ message: OutboundMessage, limit: Int) -> Bool {
        guard waiting.count < limit else { return false }
        waiting.append(message)
        return true
    }

    /// Forgets that anything was sent, because the connection is gone: all of it will be repeated on the next.
    mutating func connectionEnded() {
        for index in inFlight.indices { inFlight[index].isSent = false }
        sentCount = 0
    }

    /// What may leave now, or nil when the window is full or nothing waits. Repetitions come first.
    mutating func next(window: Int, at now: NIODeadline) -> Publish? {
        guard sentCount < window else { return nil }
        if sentCount < inFlight.count, let index = inFlight.firstIndex(where: { !$0.isSent }) {
            inFlight[index].isSent = true
            sentCount += 1
            return publish(inFlight[index].message, packetID: inFlight[index].packetID, isDuplicate: true, at: now)
        }
        while !waiting.isEmpty {
            let message = waiting.removeFirst()
            if let expires = message.expires, expires <= now {  // [MQTT-3.3.2-5]
                given.append((message.id, .expired))
                continue
            }
            let packetID = unusedPacketID()
            inFlight.append(InFlight(packetID: packetID, message: message, isSent: true))
            sentCount += 1
            return publish(message, packetID: packetID, isDuplicate: false, at: now)
        }
        return nil
    }

    /// Ends the exchange about `packetID` and returns the message's number, or nil when nothing is in flight under it.
    mutating func complete(_ packetID: UInt16) -> UInt64? {
        guard let index = inFlight.firstIndex(where: { $0.packetID == packetID && $0.isSent }) else { return nil }
        sentCount -= 1
        return inFlight.remove(at: index).message.id
    }

    /// Gives up a message that turned out not to be sendable.
    mutating func giveUp(_ packetID: UInt16, _ failure: DeliveryFailure) {
        if let id = complete(packetID) { given.append((id, failure)) }
    }

    /// Whether a message with this packet identifier is in flight.
    func contains(_ packetID: UInt16) -> Bool { inFlight.contains { $0.packetID == packetID } }

    /// Takes one message that was given up.
    mutating func takeGiven() -> (id: UInt64, failure: DeliveryFailure)? {
        given.isEmpty ? nil : given.removeFirst()
    }

    /// Removes waiting messages that expired and returns their numbers.
    mutating func removeExpired(at now: NIODeadline) -> [UInt64] {
        let expired = waiting.filter { $0.expires.map { $0 <= now } ?? false }
        if !expired.isEmpty { waiting.removeAll { $0.expires.map { $0 <= now } ?? false } }
        return expired.map(\.id)
    }

    private func publish(
        _ message: OutboundMessage, packetID: UInt16, isDuplicate: Bool, at now: NIODeadline
    ) -> Publish {
        Publish(message, qos: .atLeastOnce, packetID: packetID, isDuplicate: isDuplicate, at: now)
    }

    /// The next packet identifier that no message in flight has [MQTT-2.2.1-4]; there are always some, because far fewer
    /// messages than identifiers are in flight.
    private mutating func unusedPacketID() -> UInt16 {
        repeat { lastPacketID = lastPacketID == .max ? 1 : lastPacketID + 1 } while contains(lastPacketID)
        return lastPacketID
    }
}

extension Publish {
    /// The packet that carries `message`, with the expiry that is left [MQTT-3.3.2-6].
    init(_ message: OutboundMessage, qos: QoS, packetID: UInt16, isDuplicate: Bool, at now: NIODeadline) {
        var properties = message.properties
        if let expires = message.expires {
            let left = max(0, (expires - now).nanoseconds)
            let seconds = left / 1_000_000_000 + (left % 1_000_000_000 > 0 ? 1 : 0)
            properties.messageExpiryInterval = UInt32(clamping: seconds)
        }
        self.init(
            topic: message.topic, payload: message.payload, qos: qos, packetID: packetID, isDuplicate: isDuplicate,
            properties: properties)
    }
}
