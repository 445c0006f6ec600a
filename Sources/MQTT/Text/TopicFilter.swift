/// What a subscription names: a topic, or topics by wildcards (section 4.7).
public struct TopicFilter: Sendable, Hashable {
    /// The filter as text.
    public let text: String
    /// Whether it holds `+` or `#`.
    public let hasWildcard: Bool
    /// Whether it asks for a shared subscription, which begins with `$share/` (5.0, section 4.8.2).
    public let isShared: Bool

    /// The filter written as `text`, or the reason why it cannot be one.
    public init(_ text: String, limits: Limits = .specification) throws(ProtocolViolation) {
        try self.init(text, knowsShares: true, limits: limits)
    }

    /// Checks a topic filter (sections 4.7.1 and 4.7.3); `$share/` means something only in version 5.
    init(_ text: String, knowsShares: Bool, limits: borrowing Limits) throws(ProtocolViolation) {
        var text = text
        text.makeContiguousUTF8()
        let utf8 = text.utf8
        let scan = utf8.withContiguousStorageIfAvailable { TopicScan(of: UnsafeRawBufferPointer($0)) }
        guard let scan, !utf8.isEmpty else { throw .malformed("a topic filter is empty") }  // [MQTT-4.7.3-1]
        try scan.check(length: utf8.count, code: .topicFilterInvalid, limits: limits)
        self.text = text
        hasWildcard = scan.hasWildcard
        isShared = knowsShares && text.hasPrefix("$share/")
        try checkWildcards()
        try checkShare()
    }

    /// The parts between the slashes.
    public var levels: [Substring] { text.split(separator: "/", omittingEmptySubsequences: false) }

    /// Whether messages to `topic` belong to this filter.
    public func matches(_ topic: Topic) -> Bool {
        let names = topic.string.split(separator: "/", omittingEmptySubsequences: false)
        let filters = isShared ? Array(levels.dropFirst(2)) : levels
        // A wildcard at the start does not reach the server's own topics [MQTT-4.7.2-1].
        if names[0].hasPrefix("$"), filters[0] == "#" || filters[0] == "+" { return false }
        for (index, filter) in filters.enumerated() {
            if filter == "#" { return true }
            guard index < names.count, filter == "+" || filter == names[index] else { return false }
            // `a/#` also stands for `a` itself (section 4.7.1.2).
            if index == names.count - 1, filters.count == names.count + 1, filters[index + 1] == "#" { return true }
        }
        return filters.count == names.count
    }

    /// A wildcard fills a level of its own, and `#` only the last [MQTT-4.7.1-1], [MQTT-4.7.1-2].
    private func checkWildcards() throws(ProtocolViolation) {
        guard hasWildcard else { return }
        let levels = levels
        for (index, level) in levels.enumerated() where level.utf8.contains(where: { $0 == 0x23 || $0 == 0x2B }) {
            guard level.utf8.count == 1, level == "+" || index == levels.count - 1 else {
                throw ProtocolViolation(.topicFilterInvalid, "a wildcard in a topic filter is misplaced")
            }
        }
    }

    /// `$share/{name}/{filter}` with a name and a filter, the name without wildcards [MQTT-4.8.2-1], [MQTT-4.8.2-2].
    private func checkShare() throws(ProtocolViolation) {
        guard isShared else { return }
        let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[1].isEmpty, !parts[1].utf8.contains(where: { $0 == 0x23 || $0 == 0x2B }),
            !parts[2].isEmpty
        else { throw ProtocolViolation(.topicFilterInvalid, "a shared subscription has no share name or no filter") }
    }
}

extension TopicFilter: CustomStringConvertible {
    /// The filter as the client wrote it.
    public var description: String { text }
}
