public import NIOCore

/// What outlives a connection (section 4.1): the owner keeps it until the client returns or it expires.
public struct SessionState: Sendable {
    /// How many seconds to keep it after the connection ended; all ones mean for ever.
    public internal(set) var expiryInterval: UInt32
    /// The subscriptions, by their filters.
    public internal(set) var subscriptions: [TopicFilter: Subscription]
    var outbox: Outbox
    /// QoS 2 messages that were accepted and not yet released.
    var unreleased: Set<UInt16>
    /// QoS 2 messages that the owner had not decided on when the connection ended.
    var undecided: [PublishHandle: UInt16]

    /// The number of messages for the client that are not yet acknowledged.
    public var outboundCount: Int { outbox.count }

    /// Accepts a QoS 2 message that was decided only after its connection had ended, so that the client's repetition of it
    /// is answered and not delivered twice.
    ///
    /// Settle everything before the session goes on: a message undecided by then counts as never received.
    public mutating func acknowledge(_ handle: PublishHandle) {
        if let packetID = undecided.removeValue(forKey: handle) { unreleased.insert(packetID) }
    }

    /// Keeps a message for the client until it returns, or says why not.
    public mutating func enqueue(_ message: OutboundMessage, limits: Limits) -> DeliveryFailure? {
        guard message.qos != .atMostOnce else { return .notConnected }
        return outbox.append(message, limit: limits.outboundQueue) ? nil : .queueFull
    }

    /// Removes the messages for the client that expired and returns their numbers.
    public mutating func removeExpired(at now: NIODeadline) -> [UInt64] { outbox.removeExpired(at: now) }
}
