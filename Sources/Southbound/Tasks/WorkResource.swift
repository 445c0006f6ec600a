import Base
import Fleet

/// What a path of the device protocol names, below `/{tenant}`.
enum WorkResource: Hashable, Sendable {
    /// A call, answered with what there is to do.
    case heartbeat
    /// How a task stands.
    case status(Int64)
    /// What the device is wanted to be.
    case desired
    /// What the device is.
    case reported
    /// What has happened to the device.
    case events
    /// The keys that sign what devices are told.
    case keys

    /// The resource that the parts of a path after the tenant name.
    init?(_ parts: ArraySlice<Substring>) {
        switch (parts.first, parts.count) {
        case ("heartbeat", 1): self = .heartbeat
        case ("desired", 1): self = .desired
        case ("reported", 1): self = .reported
        case ("events", 1): self = .events
        case ("maintenance-keys", 1): self = .keys
        case ("tasks", 3):
            guard parts.last == "status", let number = Self.number(parts[parts.startIndex + 1]) else { return nil }
            self = .status(number)
        default: return nil
        }
    }

    /// The number of a task: up to eighteen digits, so that it fits whatever they are.
    static func number(_ text: some StringProtocol) -> Int64? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }

    /// The only method that it answers to.
    var method: String {
        switch self {
        case .heartbeat, .desired, .keys: "GET"
        case .status, .reported, .events: "POST"
        }
    }

    /// Bytes of the body that a request may bring.
    var bodyBytes: Int {
        switch self {
        case .heartbeat, .desired, .keys: 0
        case .status: Limits.statusBytes
        case .reported, .events: Limits.reportedBytes
        }
    }
}

/// A request of the device protocol that was understood and whose sender may make it.
struct WorkRequest: Sendable {
    let device: AdmittedDevice
    let resource: WorkResource
    /// Where the device's artifacts are.
    let base: String
}
