/// How far a task has come.
///
/// ```
/// waiting → queued → offered → running → succeeded | failed | timedOut | refused
///    ↑         └────────┴─────────┴──→ cancelling → cancelled
///    └── tried again after a failure, when its operation says so
/// ```
public enum TaskState: Int64, CaseIterable, Sendable {
    /// Its time has not come: a start, a window, a pause before it is tried again, or another install.
    case waiting = 0
    /// The device gets it when it calls.
    case queued = 1
    /// The device has got it.
    case offered = 2
    /// The device is at it.
    case running = 3
    /// Somebody wants it ended, and the device has it and must say whether it can.
    case cancelling = 4
    /// Done.
    case succeeded = 100
    /// The device could not do it.
    case failed = 101
    /// The device had it and did not say in time what became of it.
    case timedOut = 102
    /// Somebody ended it.
    case cancelled = 103
    /// The device did not want it.
    case refused = 104
    /// The device did not call before its end.
    case expired = 105

    /// The word in JSON, filters and on screens.
    public var name: String { "\(self)" }

    /// Whether something can still become of it.
    public var isOpen: Bool { rawValue < 100 }

    /// Whether the device may know of it.
    public var isWithDevice: Bool { self == .offered || self == .running || self == .cancelling }

    /// Whether it ended as nobody wished; a time-out counts like a failure.
    public var isFailure: Bool { self == .failed || self == .timedOut || self == .refused || self == .expired }

    /// The state of this name.
    public init?(name: some StringProtocol) {
        guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = state
    }
}

/// Why a task failed, as far as trying again is concerned.
public enum TaskFailure: String, CaseIterable, Sendable {
    /// The device said that it failed.
    case failed
    /// It did not say in time what became of it.
    case timedOut
    /// The device did not want it.
    case refused
}
