import Base
import Operations

/// An alert that is not closed, as memory has it.
struct OpenAlert: Hashable, Sendable {
    let id: AlertID
    let subject: AlertSubject
    let domain: DomainID
    var title: String
    /// When it began: of several devices, when the first was missed.
    var opened: Timestamp
    /// Since when devices of it are silent, not only late.
    var silentSince: Timestamp?
    /// Since when devices of it were silent before, while none is; its condition when it is over is the worst it had.
    var wasSilent: Timestamp?
    /// How many devices it has been about; of an operation, how many tasks failed.
    var devices = 0
    /// About how many it is now.
    var missing = 0
    /// How many of these are silent.
    var silent = 0
    /// Of a campaign's group, the campaign. It is not stored: whoever reads alerts looks at their operations anew.
    var campaign: CampaignID?
    /// When the first certificate ends.
    var ends: Timestamp?
    /// The rules that have told of it, and what they told.
    var told: [AlertRuleID: AlertTelling] = [:]
    /// Whether somebody takes care of it.
    var isAcknowledged = false

    /// When it was made, which may be long after it began.
    var made: Timestamp { Timestamp(microseconds: Int64(id.high >> 16) * 1000) }

    /// Sets since when its devices are silent to what it is when none is; once it is over, to what it was.
    mutating func settleSilence() {
        if missing == 0 {
            silentSince = silentSince ?? wasSilent
        } else if silent == 0, let since = silentSince {
            (wasSilent, silentSince) = (wasSilent ?? since, nil)
        }
    }

    var condition: AlertCondition {
        switch subject {
        case .contact: silentSince == nil ? .late : .silent
        case .certificates: .certificateExpiring
        case .operation: .taskFailed
        case .campaign: .campaignPaused
        }
    }

    /// Since when it is what a rule of these conditions tells of; nil when it is not.
    func since(_ conditions: Set<AlertCondition>) -> Timestamp? {
        guard case .contact = subject else { return conditions.contains(condition) ? opened : nil }
        // Who is silent is late as well.
        if conditions.contains(.late) { return opened }
        return conditions.contains(.silent) ? silentSince : nil
    }

    /// About how many devices or tasks a rule of these conditions tells.
    func count(_ conditions: Set<AlertCondition>) -> Int {
        guard case .contact = subject else { return missing }
        return conditions.contains(.late) ? missing : silent
    }

    /// Whether it is about so many more than a rule has told that it is told once more.
    func hasOutgrown(_ telling: AlertTelling, _ conditions: Set<AlertCondition>) -> Bool {
        if case .campaign = subject { return false }
        guard telling.again < WatchLimits.again, let about = telling.about else { return false }
        return count(conditions) >= max(about, 1) * WatchLimits.grownTimes
    }

    /// How bad it is, by its condition and the rules that are about it.
    func severity(by rules: [AlertRule], in tree: DomainLines) -> AlertSeverity {
        rules.reduce(condition.severity) { worst, rule in
            guard let severity = rule.severity, rule.isActive, since(rule.conditions) != nil,
                tree.line(of: domain).contains(rule.domain)
            else { return worst }
            return max(worst, severity)
        }
    }
}

/// What a rule has told of an alert.
struct AlertTelling: Hashable, Sendable {
    /// About how many devices or tasks; nil when that was not noted.
    var about: Int?
    /// How often it was told again because it had grown.
    var again = 0
    /// Whether it was told by what told that its campaign paused, and by nothing of its own.
    var isCovered = false
}

/// A tenant's tree: from each domain up to the root.
struct DomainLines: Hashable, Sendable {
    var parents: [DomainID: DomainID] = [:]

    /// The domain and those above it.
    func line(of domain: DomainID) -> [DomainID] {
        var (line, next) = ([domain], parents[domain])
        while let current = next, line.count <= parents.count {
            line.append(current)
            next = parents[current]
        }
        return line
    }
}
