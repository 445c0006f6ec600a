public import Base
import Fleet

/// What somebody orders.
public struct OperationOrder: Sendable, Hashable {
    /// What each device is to do.
    public var type: TaskType
    /// What people call it; a title is made when there is none.
    public var title: String?
    /// Which devices.
    public var target: OperationTarget
    /// The release that an install brings, and only an install.
    public var release: ReleaseID?
    /// What every task brings: an object.
    public var input: JSONValue
    /// When, for how long and how often.
    public var terms: OperationTerms

    /// An order for these devices.
    public init(
        _ type: TaskType, _ target: OperationTarget, title: String? = nil, release: ReleaseID? = nil,
        input: JSONValue = [:], terms: OperationTerms = OperationTerms()
    ) {
        self.type = type
        self.target = target
        self.title = title
        self.release = release
        self.input = input
        self.terms = terms
    }

    /// Throws `operation.invalid` with every wrong place.
    func check(now: Timestamp) throws(Refusal) {
        var faults: [Refusal.Fault] = []
        func fault(_ place: String, _ message: String) { faults.append(.init(place: place, message: message)) }
        if let title, title.isEmpty || title.count > OperationLimits.titleCharacters {
            fault("/title", "has 1 to \(OperationLimits.titleCharacters) characters")
        }
        if (release == nil) == (type == .install) {
            fault("/release", type == .install ? "an install names its release" : "only an install brings a release")
        }
        if case .object = input {
            if input.canonical.utf8.count > OperationLimits.inputBytes {
                fault("/input", "has at most \(OperationLimits.inputBytes) bytes")
            }
        } else {
            fault("/input", "must be an object")
        }
        if case .devices(let named) = target {
            if named.isEmpty || named.count > OperationLimits.namedDevices {
                fault("/target/devices", "names 1 to \(OperationLimits.namedDevices) devices")
            }
            for (index, one) in named.enumerated() where one.input != nil {
                guard case .object = one.input else {
                    fault("/target/devices/\(index)/input", "must be an object")
                    break
                }
            }
        }
        if !OperationLimits.life.contains(terms.life) {
            fault(
                "/terms/life",
                "is from \(OperationLimits.life.lowerBound) to \(OperationLimits.life.upperBound) seconds")
        }
        if !OperationLimits.timeout.contains(terms.timeout) {
            fault(
                "/terms/timeout",
                "is from \(OperationLimits.timeout.lowerBound) to \(OperationLimits.timeout.upperBound) seconds")
        }
        if terms.retries.values.contains(where: { !(0...10).contains($0) }) {
            fault("/terms/retries", "each is from 0 to 10")
        }
        if !(0...86_400).contains(terms.pause) { fault("/terms/pause", "is from 0 to 86400 seconds") }
        if let starts = terms.starts, starts > now + .seconds(OperationLimits.life.upperBound) {
            fault("/terms/starts", "lies more than a year ahead")
        }
        if terms.windows.count > OperationLimits.windows {
            fault("/terms/windows", "are at most \(OperationLimits.windows)")
        }
        guard faults.isEmpty else { throw .faulty("operation.invalid", "The operation", faults) }
    }
}
