import Base
import Storage

extension PresenceState {
    /// The columns in the order in which the row is read.
    static let columns = "p.online, p.last_seen, p.connected, p.disconnected, p.connections, p.protocol, p.address"

    static let count = 7

    /// The state in the columns of `row` from `first` on.
    init(_ row: Row, from first: Int) throws {
        func time(_ index: Int) throws -> Timestamp? {
            let time = try row.timestamp(index)
            return time.microseconds == 0 ? nil : time
        }
        func text(_ index: Int) throws -> String? {
            let text = try row.text(index)
            return text.isEmpty ? nil : text
        }
        self.init(
            isOnline: try row.bool(first), lastSeen: try time(first + 1), connected: try time(first + 2),
            disconnected: try time(first + 3), connections: try row.integer(first + 4),
            transport: try text(first + 5), address: try text(first + 6))
    }
}
