import Base
import NIOCore

/// The JSON documents that update clients read, written as the strictest of them wants them: absolute addresses, the
/// number of an action as a text of at most ten digits, the length of the pause as `HH:mm:ss`.
struct DDIText {
    /// `https://host[:port]/{tenant}/controller/v1/{controllerId}`, as the client called it.
    let base: String

    /// The answer to a poll.
    func poll(sleep: Int64, links: [(name: String, path: String)]) -> [UInt8] {
        var text = "{\"config\":{\"polling\":{\"sleep\":\"\(Self.clock(sleep))\"}}"
        if !links.isEmpty {
            text += ",\"_links\":{"
            text += links.map { "\"\($0.name)\":{\"href\":\(JSONValue.string(base + $0.path).canonical)}" }
                .joined(separator: ",")
            text += "}"
        }
        return Array((text + "}").utf8)
    }

    /// The wish to end an action.
    static func cancel(_ number: Int64) -> [UInt8] {
        Array("{\"id\":\"\(number)\",\"cancelAction\":{\"stopId\":\"\(number)\"}}".utf8)
    }

    /// Seconds as `HH:mm:ss`, within what every client understands.
    static func clock(_ seconds: Int64) -> String {
        let seconds = min(max(seconds, 1), 86_399)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
