public import Base

/// Marks identifiers of campaigns.
public enum CampaignKind {}
/// The identifier of a campaign.
public typealias CampaignID = Identifier<CampaignKind>

/// A staged roll-out of a release: its devices in groups, each of which gets the release when the one before it has done
/// well enough.
///
/// ```
/// awaitingApproval → scheduled → running ⇄ paused
///                                   └───────┴──→ finished | stopped | rolledBack
/// ```
public struct Campaign: Sendable, Hashable {
    /// How far it has come.
    public enum State: String, CaseIterable, Sendable {
        /// Its devices are being put into groups.
        case preparing
        /// Another person must approve it.
        case awaitingApproval
        /// Its start has not come.
        case scheduled
        /// Its groups get the release one after the other.
        case running
        /// Nothing more is given out; see ``Campaign/reason``.
        case paused
        /// Every group is through.
        case finished
        /// Somebody ended it.
        case stopped
        /// Somebody ended it and had the former release installed again.
        case rolledBack

        /// Whether it can still go on.
        public var isLive: Bool {
            switch self {
            case .preparing, .awaitingApproval, .scheduled, .running, .paused: true
            case .finished, .stopped, .rolledBack: false
            }
        }
    }

    /// Why it is paused.
    public enum Pause: String, CaseIterable, Sendable {
        /// Somebody paused it.
        case person
        /// Too many devices of a group failed, refused, timed out or did not call.
        case errorThreshold
        /// A group is through, and too few of it have the release.
        case successThreshold
        /// Whoever answers for it may not install any more.
        case rights
        /// The release was withdrawn.
        case releaseWithdrawn
        /// What it is for can not be found any more, such as a domain that was deleted.
        case target
    }

    /// Its identifier.
    public let id: CampaignID
    /// What people call it.
    public let title: String
    /// What it brings.
    public let release: ReleaseID
    /// Which devices, as it was ordered.
    public let target: JSONValue
    /// When and how often each device may try.
    public let terms: OperationTerms
    /// What makes it go on, and what stops it.
    public let rules: CampaignRules
    /// Whether devices that come to match later join it.
    public let takesNewcomers: Bool
    /// Who ordered it.
    public let creator: PrincipalID
    /// Their name when they ordered it.
    public let creatorName: String
    /// The name of who approved it.
    public let approverName: String?
    /// How far it has come.
    public let state: State
    /// Why it is paused.
    public let reason: Pause?
    /// The group that made it pause.
    public let reasonGroup: Int?
    /// When it was ordered.
    public let created: Timestamp
    /// When its first group began.
    public let started: Timestamp?
    /// When nothing of it was open any more.
    public let finished: Timestamp?
    /// Its groups, in their order.
    public internal(set) var groups: [CampaignGroup]
    /// What takes it back, once somebody rolled it back.
    public internal(set) var rollback: CampaignRollback?
    /// Who acts when the server acts for it.
    let sponsor: CampaignSponsor
    /// Whether what is open is being ended.
    let isEnding: Bool

    /// How many devices are in it.
    public var members: Int { groups.reduce(0) { $0 + $1.members } }
    /// How many devices had the release already, or a later one.
    public var upToDate: Int { groups.reduce(0) { $0 + $1.upToDate } }
    /// How many tasks are in each state.
    public var counts: [TaskState: Int] {
        groups.reduce(into: [:]) { all, group in all.merge(group.counts) { $0 + $1 } }
    }
}

/// What makes a campaign go on, and what stops it.
public struct CampaignRules: Sendable, Hashable {
    /// The percentage of a group that must have the release before the next one begins.
    public var success: Int
    /// The percentage of failures among what is over at which it pauses; nil is never.
    public var error: Int?
    /// How many devices of a group must be through before failures are judged.
    public var sample: Int

    /// Nine in ten to go on, one in five to pause, judged from five devices on, unless said otherwise.
    public init(success: Int = 90, error: Int? = 20, sample: Int = 5) {
        self.success = success
        self.error = error
        self.sample = sample
    }
}

/// One group of a campaign.
public struct CampaignGroup: Sendable, Hashable {
    /// Its place, from 1.
    public let number: Int
    /// The percentage of the devices that are in it; nil when they were named one by one.
    public let percent: Int?
    /// The largest hash of a device that falls into it; nil when its devices were named.
    let bound: Int64?
    /// The operation that brings it the release; nil before it has begun, or when no device needed it.
    public internal(set) var operation: OperationID?
    /// When it began.
    public internal(set) var started: Timestamp?
    /// How many devices are in it.
    public internal(set) var members: Int
    /// How many of them have got no task yet.
    public internal(set) var planned: Int
    /// How many had the release already, or a later one.
    public internal(set) var upToDate: Int
    /// How many got no task, because whoever answers for the campaign may not install on them, or they are gone.
    public internal(set) var leftOut: Int
    /// How many tasks are in each state.
    public internal(set) var counts: [TaskState: Int] = [:]
    /// What had gone wrong when somebody resumed the campaign all the same.
    var forgiven = Forgiven()

    /// What is not held against a group any more.
    struct Forgiven: Sendable, Hashable {
        var failures = 0
        var judged = 0
        /// Whether the next group may begin whatever became of this one.
        var isPassed = false
    }

    /// How many have the release.
    public var succeeded: Int { counts[.succeeded, default: 0] + upToDate }
    /// How many failed, refused, timed out or did not call.
    public var failures: Int { counts.reduce(0) { $0 + ($1.key.isFailure ? $1.value : 0) } }
    /// Whether nothing of it is open any more.
    public var isOver: Bool { started != nil && planned == 0 && !hasOpen }
    /// Whether tasks of it are open.
    var hasOpen: Bool { counts.contains { $0.key.isOpen && $0.value > 0 } }
    /// How many tasks say something about the release.
    var judged: Int { counts[.succeeded, default: 0] + failures }
    /// How many could have the release at its end.
    var reachable: Int { members - leftOut }
}

/// What takes a campaign back.
public struct CampaignRollback: Sendable, Hashable {
    /// The release that devices get again.
    public let release: ReleaseID
    /// The operation that brings it; nil before the first device gets it.
    public internal(set) var operation: OperationID?
    /// How many of its tasks are in each state.
    public internal(set) var counts: [TaskState: Int] = [:]
}

/// Who acts when the server acts for a campaign: whoever ordered it, or resumed it last.
struct CampaignSponsor: Sendable, Hashable {
    let id: PrincipalID
    let home: TenantID
    let kind: String
}
