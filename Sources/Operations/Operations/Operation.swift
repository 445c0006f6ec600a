public import Base

/// Marks identifiers of operations.
public enum OperationKind {}
/// The identifier of an operation.
public typealias OperationID = Identifier<OperationKind>
/// Marks identifiers of releases.
public enum ReleaseKind {}
/// The identifier of a release.
public typealias ReleaseID = Identifier<ReleaseKind>

/// The same task for many devices, or for one.
public struct Operation: Sendable, Hashable {
    /// How far it has come.
    public enum State: String, CaseIterable, Sendable {
        /// Its tasks are being made.
        case preparing
        /// Its tasks are under way.
        case running
        /// Nothing more is given out until it is resumed; what devices have begun goes on.
        case paused
        /// No task is open any more.
        case finished
        /// Somebody ended it.
        case cancelled
    }

    /// Its identifier.
    public let id: OperationID
    /// What it asks of each device.
    public let type: TaskType
    /// What people call it.
    public let title: String
    /// Which devices, as it was ordered.
    public let target: JSONValue
    /// The release that an install brings.
    public let release: ReleaseID?
    /// When and how often it may be tried.
    public let terms: OperationTerms
    /// Who ordered it.
    public let creator: PrincipalID
    /// Their name when they ordered it.
    public let creatorName: String
    /// How far it has come.
    public let state: State
    /// When it was ordered.
    public let created: Timestamp
    /// When its first task was queued.
    public let started: Timestamp?
    /// When its last task ended.
    public let finished: Timestamp?
    /// How many tasks are in each state.
    public let counts: [TaskState: Int]

    /// How many devices it is for, as far as is known.
    public var total: Int { counts.values.reduce(0, +) }
    /// How many of its tasks are over.
    public var ended: Int { counts.reduce(0) { $0 + ($1.key.isOpen ? 0 : $1.value) } }
}

/// Which devices an operation is for.
public enum OperationTarget: Sendable, Hashable {
    /// Those that match a ``DeviceFilter`` when the operation is ordered; all of them when it is nil.
    case filter(String?)
    /// Those that live in a domain or below, named by identifier or path.
    case domain(String)
    /// These, named by name or identifier; each may bring its own input.
    case devices([Named])

    /// One device, and what its task alone brings.
    public struct Named: Sendable, Hashable {
        /// Its name or identifier.
        public let device: String
        /// What is laid over the operation's input.
        public let input: JSONValue?

        /// A device, with an input of its own or without.
        public init(_ device: String, input: JSONValue? = nil) { (self.device, self.input) = (device, input) }
    }
}

/// When an operation's tasks are given out, for how long, and how often.
public struct OperationTerms: Sendable, Hashable {
    /// Not before this moment; nil is at once.
    public var starts: Timestamp?
    /// Seconds from its start within which a device must have called for its task.
    public var life: Int64
    /// Seconds that a device may take over it.
    public var timeout: Int64
    /// How often it is tried again after each kind of failure.
    public var retries: [TaskFailure: Int]
    /// Seconds before it is tried again.
    public var pause: Int64
    /// When tasks may be given out; at any time when there are none.
    public var windows: [MaintenanceWindow]
    /// Whether each device is asked first whether it may install.
    public var confirm = false

    /// A week to call in, an hour to do it, and no further try, unless said otherwise.
    public init(
        starts: Timestamp? = nil, life: Int64 = 7 * 86_400, timeout: Int64 = 3600, retries: [TaskFailure: Int] = [:],
        pause: Int64 = 300, windows: [MaintenanceWindow] = []
    ) {
        self.starts = starts
        self.life = life
        self.timeout = timeout
        self.retries = retries
        self.pause = pause
        self.windows = windows
    }
}
