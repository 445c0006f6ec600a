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
    /// What every task brings: an object, in which values may be made for each device, as in edits of configuration.
    public var input: JSONValue
    /// When, for how long and how often.
    public var terms: OperationTerms
    /// Whether an install may bring an earlier release than what a device has: the tasks are signed for it.
    public var isRollback = false

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
        if isRollback, type != .install { fault("/rollback", "only an install goes back to an earlier release") }
        if let wrong = Self.wrong(input) { fault("/input", wrong) }
        do throws(GeneratedDocument.Faults) {
            _ = try GeneratedDocument(input, at: "/input")
        } catch {
            faults += error.faults
        }
        if case .devices(let named) = target {
            if named.isEmpty || named.count > OperationLimits.namedDevices {
                fault("/target/devices", "names 1 to \(OperationLimits.namedDevices) devices")
            }
            for (index, one) in named.enumerated() {
                guard let wrong = Self.wrong(one.input) else { continue }
                fault("/target/devices/\(index)/input", "of \(one.device.prefix(64)) \(wrong)")
                // One of a hundred thousand is enough to say what is wrong.
                break
            }
        }
        if terms.confirm, type != .install { fault("/terms/confirm", "only an install is confirmed") }
        faults += terms.faults(now: now)
        guard faults.isEmpty else { throw .faulty("operation.invalid", "The operation", faults) }
    }
}

extension OperationTerms {
    /// What is wrong in it, each at its place.
    func faults(now: Timestamp) -> [Refusal.Fault] {
        var faults: [Refusal.Fault] = []
        func fault(_ place: String, _ message: String) { faults.append(.init(place: place, message: message)) }
        if !OperationLimits.life.contains(life) {
            fault(
                "/terms/life",
                "is from \(OperationLimits.life.lowerBound) to \(OperationLimits.life.upperBound) seconds")
        }
        if !OperationLimits.timeout.contains(timeout) {
            fault(
                "/terms/timeout",
                "is from \(OperationLimits.timeout.lowerBound) to \(OperationLimits.timeout.upperBound) seconds")
        }
        if retries.values.contains(where: { !(0...10).contains($0) }) {
            fault("/terms/retries", "each is from 0 to 10")
        }
        if !(0...86_400).contains(pause) { fault("/terms/pause", "is from 0 to 86400 seconds") }
        if let starts = starts, starts > now + .seconds(OperationLimits.life.upperBound) {
            fault("/terms/starts", "lies more than a year ahead")
        }
        if windows.count > OperationLimits.windows {
            fault("/terms/windows", "are at most \(OperationLimits.windows)")
        }
        return faults
    }
}

extension OperationOrder {
    /// What is wrong with what tasks bring, or with what one of them brings alone.
    static func wrong(_ input: JSONValue?) -> String? {
        guard let input else { return nil }
        guard case .object = input else { return "must be an object" }
        return input.canonical.utf8.count > OperationLimits.inputBytes
            ? "has at most \(OperationLimits.inputBytes) bytes" : nil
    }
}
