public import Base
import Storage

/// Whether a device calls as its policy says.
public enum HeartbeatState: String, CaseIterable, Sendable {
    /// It calls.
    case calling
    /// It has missed a few calls.
    case late
    /// It has missed so many that nobody counts on the next one.
    case silent

    /// The number under which the database keeps it.
    var code: Int64 {
        switch self {
        case .calling: 0
        case .late: 1
        case .silent: 2
        }
    }

    init?(code: Int64) {
        guard let state = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = state
    }
}

/// How a device stands to its heartbeat, and how often it failed it since it was registered.
public struct HeartbeatStanding: Hashable, Sendable {
    /// Whether it calls; nil when nobody expects it to, because it is not let in or exempt.
    public var state: HeartbeatState?
    /// Since when; nil when it has never been anything but calling.
    public var since: Timestamp?
    /// How often it became late.
    public var timesLate: Int64
    /// How often it became silent.
    public var timesSilent: Int64

    /// The standing of a device that has missed nothing.
    static let faultless = HeartbeatStanding(state: .calling, since: nil, timesLate: 0, timesSilent: 0)

    /// Takes what has happened since.
    mutating func add(_ change: HeartbeatShard.Change) {
        since = change.since
        timesLate += change.timesLate
        timesSilent += change.timesSilent
    }

    /// The standing as JSON.
    public var json: JSONValue {
        [
            "state": state.map { .string($0.rawValue) } ?? .null,
            "since": since.map { .string($0.rfc3339) } ?? .null, "timesLate": .integer(timesLate),
            "timesSilent": .integer(timesSilent),
        ]
    }
}

extension HeartbeatStanding {
    /// The columns of the table, joined as `h`, in the order in which the row is read.
    static let columns = "h.state, h.since, h.late, h.silent"

    /// The join that brings the columns to a device's key; most devices have no row.
    static func join(_ device: String) -> String {
        "LEFT JOIN device_heartbeat h ON h.tenant = $1 AND h.device = \(device)"
    }

    /// The standing in the columns of `row` from `first` on.
    init(_ row: Row, from first: Int) throws {
        guard let code = try row.integerIfAny(first), let state = HeartbeatState(code: code) else {
            self = .faultless
            return
        }
        self.init(
            state: state, since: try row.timestamp(first + 1), timesLate: try row.integer(first + 2),
            timesSilent: try row.integer(first + 3))
    }
}
