import Base
import NIOHTTP1

/// On what conditions, and in which parts, a client wants something (RFC 9110, sections 13 and 14).
struct DDIConditions: Hashable, Sendable {
    /// Whether the head of the answer is all that is wanted.
    let isHead: Bool
    private let range: String?
    private let ifRange: String?
    private let ifMatch: String?
    private let ifNoneMatch: String?

    init(_ head: HTTPRequestHead) {
        isHead = head.method == .HEAD
        range = head.headers.first(name: "range")
        ifRange = head.headers.first(name: "if-range")
        ifMatch = head.headers.first(name: "if-match")
        ifNoneMatch = head.headers.first(name: "if-none-match")
    }

    /// Whether the client has what bears this tag, without quotes.
    func knows(_ tag: String) -> Bool { ifNoneMatch.map { Self.names($0, tag) } ?? false }

    /// What the client gets.
    enum Outcome: Hashable, Sendable {
        /// These parts of it, or all.
        case send(ByteRanges)
        /// It has it.
        case notModified
        /// It wants another one.
        case preconditionFailed
    }

    /// What the client gets of an artifact with this tag, without quotes, and this date.
    func outcome(tag: String, modified: String, size: Int64) -> Outcome {
        if let ifMatch, !Self.names(ifMatch, tag) { return .preconditionFailed }
        if knows(tag) { return .notModified }
        // Who can not be sure to have the beginning of the same file gets all of it.
        if let ifRange, ifRange != "\"\(tag)\"", ifRange != tag, ifRange != modified { return .send(.whole) }
        return .send(ByteRanges(range, size: size))
    }

    /// Whether a list of tags names this one; hawkBit's clients leave the quotes away.
    private static func names(_ list: String, _ tag: String) -> Bool {
        list.split(separator: ",").contains { item in
            var item = item.drop { $0 == " " || $0 == "\t" }
            if item.hasPrefix("W/") { item = item.dropFirst(2) }
            let bare = item.split(separator: " ").first?.filter { $0 != "\"" }
            return bare == "*" || bare == tag
        }
    }
}
