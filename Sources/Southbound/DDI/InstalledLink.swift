import Base
import Synchronization

/// The link to what a device installed last, written once for a connection and not for each of its polls.
final class InstalledLink: Sendable {
    private let written = Mutex<(number: Int64, bytes: [UInt8])?>(nil)

    /// The answer to an empty poll with the link to this action put before the rest.
    func poll(_ number: Int64, _ empty: Answer, base: String) -> Answer {
        let link = written.withLock { written in
            if let written, written.number == number { return written.bytes }
            let links: JSONValue = ["installedBase": ["href": .string("\(base)/installedBase/\(number)")]]
            let bytes = Array("{\"_links\":\(links.canonical),".utf8)
            written = (number, bytes)
            return bytes
        }
        var answer = empty
        // Without the brace that opens the rest.
        answer.body = link + empty.body.dropFirst()
        return answer
    }
}
