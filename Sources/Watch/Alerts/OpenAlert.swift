import Base

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
    /// How many devices it has been about; of an operation, how many tasks failed.
    var devices = 0
    /// About how many it is now.
    var missing = 0
    /// How many of these are silent.
    var silent = 0
    /// When the first certificate ends.
    var ends: Timestamp?
    /// The rules that have told of it.
    var told: Set<AlertRuleID> = []

    /// When it was made, which may be long after it began.
    var made: Timestamp { Timestamp(microseconds: Int64(id.high >> 16) * 1000) }

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
