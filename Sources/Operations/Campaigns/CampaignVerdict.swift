import Base

/// What is to be done next for a campaign.
enum CampaignVerdict: Hashable, Sendable {
    /// Nothing, until something changes.
    case wait
    /// Its start has come.
    case begin
    /// A group begins.
    case start(Int)
    /// Members of a group that has begun get their tasks.
    case fill(Int)
    /// Nothing more is given out.
    case pause(Campaign.Pause, group: Int)
    /// What is open is ended.
    case end
    /// Devices that have the release get the former one.
    case revert
    /// It is over.
    case close
}

extension Campaign {
    /// The one place that knows what follows from how a campaign stands.
    func verdict(at now: Timestamp) -> CampaignVerdict {
        switch state {
        case .preparing, .awaitingApproval, .paused, .finished: return .wait
        case .scheduled: return terms.starts.map { $0 <= now } ?? true ? .begin : .wait
        case .running: return running
        case .stopped:
            if isEnding { return .end }
            return finished == nil && isThrough ? .close : .wait
        case .rolledBack:
            if isEnding { return .end }
            return finished == nil ? .revert : .wait
        }
    }

    /// Whether no group that has begun has anything open.
    var isThrough: Bool { groups.allSatisfy { $0.started == nil || !$0.hasOpen } }

    private var running: CampaignVerdict {
        let begun = groups.filter { $0.started != nil }
        for group in begun where group.isFailing(by: rules) { return .pause(.errorThreshold, group: group.number) }
        if let group = begun.first(where: { $0.planned > 0 }) { return .fill(group.number) }
        guard let next = groups.first(where: { $0.started == nil }) else {
            // Who takes newcomers goes on until somebody stops it.
            return !takesNewcomers && begun.allSatisfy(\.isOver) ? .close : .wait
        }
        guard let last = begun.last else { return .start(next.number) }
        if last.hasSucceeded(by: rules) { return .start(next.number) }
        return last.isOver ? .pause(.successThreshold, group: last.number) : .wait
    }
}

extension CampaignGroup {
    /// Whether so many of a large enough sample failed that nobody else should try.
    fileprivate func isFailing(by rules: CampaignRules) -> Bool {
        guard let error = rules.error else { return false }
        let (failures, judged) = (failures - forgiven.failures, judged - forgiven.judged)
        // Of what was forgiven some may have succeeded late.
        return failures > 0 && judged >= rules.sample && failures * 100 >= error * judged
    }

    /// Whether so many have the release that the next group may begin.
    fileprivate func hasSucceeded(by rules: CampaignRules) -> Bool {
        // One that has just begun has no tasks yet, whatever the threshold.
        if planned > 0 { return false }
        return forgiven.isPassed || succeeded * 100 >= rules.success * reachable
    }
}
