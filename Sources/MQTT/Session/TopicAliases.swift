/// The numbers that a client gave to topics on this connection (5.0, section 3.3.2.3.4).
struct TopicAliases {
    private let maximum: UInt16
    /// By alias less one; grows to the highest alias in use.
    private var topics: [Topic] = []

    init(maximum: UInt16) { self.maximum = maximum }

    /// The topic of a message with an alias: its own, which the alias stands for from now on, or the one set before.
    mutating func resolve(_ alias: UInt16, _ topic: Topic) throws(ProtocolViolation) -> Topic {
        guard alias > 0, alias <= maximum else {
            throw ProtocolViolation(.topicAliasInvalid, "a topic alias is zero or above the maximum")
        }
        let index = Int(alias) - 1
        if topic.isEmpty {
            guard index < topics.count, !topics[index].isEmpty else {
                throw .protocolError("a topic alias was never set")
            }
            return topics[index]
        }
        while topics.count <= index { topics.append(.none) }
        topics[index] = topic.detached
        return topic
    }
}
