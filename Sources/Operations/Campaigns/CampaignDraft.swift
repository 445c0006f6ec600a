public import Base
import Fleet

/// What somebody wants rolled out, to whom, and in which steps.
public struct CampaignDraft: Sendable, Hashable {
    /// One group: a part of the devices, or devices that are named.
    public enum Share: Sendable, Hashable {
        /// This percentage of the devices that no other group names.
        case percent(Int)
        /// These, named by name or identifier.
        case devices([String])
    }

    /// What people call it; a title is made when there is none.
    public var title: String?
    /// What devices get.
    public var release: ReleaseID
    /// The devices that groups share by percentage; nil when all groups name theirs.
    public var target: OperationTarget?
    /// The groups, in their order.
    public var groups: [Share]
    /// What makes it go on, and what stops it.
    public var rules: CampaignRules
    /// When, for how long and how often each device may try.
    public var terms: OperationTerms
    /// Whether devices that come to match later join it.
    public var takesNewcomers: Bool

    /// A release for these devices, all in one group unless said otherwise.
    public init(
        _ release: ReleaseID, _ target: OperationTarget?, title: String? = nil, groups: [Share] = [.percent(100)],
        rules: CampaignRules = CampaignRules(), terms: OperationTerms = OperationTerms(), takesNewcomers: Bool = false
    ) {
        self.release = release
        self.target = target
        self.title = title
        self.groups = groups
        self.rules = rules
        self.terms = terms
        self.takesNewcomers = takesNewcomers
    }

    /// The percentages, in the order of their groups.
    var percents: [Int] { groups.compactMap { if case .percent(let percent) = $0 { percent } else { nil } } }

    /// Throws `campaign.invalid` with every wrong place.
    func check(now: Timestamp) throws(Refusal) {
        var faults = terms.faults(now: now)
        func fault(_ place: String, _ message: String) { faults.append(.init(place: place, message: message)) }
        if let title, title.isEmpty || title.count > OperationLimits.titleCharacters {
            fault("/title", "has 1 to \(OperationLimits.titleCharacters) characters")
        }
        if groups.isEmpty || groups.count > OperationLimits.campaignGroups {
            fault("/groups", "are 1 to \(OperationLimits.campaignGroups)")
        }
        for (index, group) in groups.enumerated() {
            switch group {
            case .percent(let percent):
                if !(1...100).contains(percent) { fault("/groups/\(index)/percent", "is from 1 to 100") }
            case .devices(let names):
                if names.isEmpty || names.count > OperationLimits.namedDevices {
                    fault("/groups/\(index)/devices", "names 1 to \(OperationLimits.namedDevices) devices")
                }
            }
        }
        let percents = percents
        if percents.isEmpty != (target == nil) {
            fault("/target", percents.isEmpty ? "is shared by no group" : "is missing: groups share it by percentage")
        }
        if !percents.isEmpty, percents.reduce(0, { $0 &+ $1 }) != 100 { fault("/groups", "must share 100 percent") }
        switch target {
        case .devices(let named)?:
            if named.isEmpty || named.count > OperationLimits.namedDevices {
                fault("/target/devices", "names 1 to \(OperationLimits.namedDevices) devices")
            }
            if named.contains(where: { $0.input != nil }) { fault("/target/devices", "bring no input to an install") }
            if takesNewcomers { fault("/newcomers", "join a filter or a domain, no list") }
        case nil:
            if takesNewcomers { fault("/newcomers", "join groups that share by percentage") }
        case .filter(let text?)?:
            // To hear of each coming and going would cost more than it is worth, and most would join sooner or later.
            if takesNewcomers, (try? DeviceFilter(text))?.asksForPassing == true {
                fault("/newcomers", "join no filter that asks for online, heartbeat or drift, which come and go")
            }
        case .filter?, .domain?: break
        }
        if !(0...100).contains(rules.success) { fault("/rules/success", "is from 0 to 100") }
        if let error = rules.error, !(1...100).contains(error) { fault("/rules/error", "is from 1 to 100") }
        if !(1...OperationLimits.namedDevices).contains(rules.sample) {
            fault("/rules/sample", "is from 1 to \(OperationLimits.namedDevices)")
        }
        guard faults.isEmpty else { throw .faulty("campaign.invalid", "The campaign", faults) }
    }
}

/// What a campaign would do, if it were ordered now.
public struct CampaignPreview: Sendable, Hashable {
    /// One group.
    public struct Group: Sendable, Hashable {
        /// How many devices would be in it.
        public internal(set) var members = 0
        /// How many of them have the release already, or a later one.
        public internal(set) var upToDate = 0
    }

    /// The groups, in their order.
    public let groups: [Group]
    /// How many devices match, but have hardware that the release is not for; they are in no group.
    public let misfits: Int

    /// How many devices would be in it.
    public var members: Int { groups.reduce(0) { $0 + $1.members } }
    /// How many of them have the release already, or a later one.
    public var upToDate: Int { groups.reduce(0) { $0 + $1.upToDate } }

    /// What is told when no device would be in it.
    public var nothing: Refusal { Self.nothing(misfits: misfits) }

    static func nothing(misfits: Int) -> Refusal {
        guard misfits == 0 else { return Operations.misfit(Operations.having(misfits, of: misfits)) }
        return Refusal(.invalid, "campaign.nothing", "No device matches on which you may install; choose others.")
    }
}
