import Access
import Base
import Operations

extension Campaign {
    /// The state on screens.
    var badge: Badge {
        switch state {
        case .preparing: .off("Being prepared")
        case .awaitingApproval: .warning("Waits for approval")
        case .scheduled: .off("Has not begun")
        case .running: .good("Under way")
        case .paused: reason == .person ? .warning("Paused") : .critical("Paused by itself")
        case .finished:
            counts.contains { $0.key.isFailure && $0.value > 0 }
                ? .warning("Finished, with failures") : .good("Finished")
        case .stopped: .off("Stopped")
        case .rolledBack: .critical("Rolled back")
        }
    }

    /// How many devices have the release, in words.
    var progress: String {
        "\((upToDate + counts[.succeeded, default: 0]).grouped) of \(members.grouped) have it"
    }

    /// What stands in its bar.
    var meter: [OverviewPage.Part] { OverviewPage.Part.of(counts, upToDate: upToDate, total: members) }

    /// Why it is paused, in a sentence; nil when it is not.
    var why: String? {
        guard state == .paused, let reason else { return nil }
        let group = groups.first { $0.number == reasonGroup }
        let name = group.map { "group \($0.number)" } ?? "a group"
        switch reason {
        case .person: return "Somebody paused it. Nothing more is given out until somebody resumes it."
        case .errorThreshold:
            let over = group.map { $0.failures + $0.counts[.succeeded, default: 0] } ?? 0
            return
                "It paused by itself: in \(name), \((group?.failures ?? 0).grouped) of \(over.grouped) devices failed, refused, "
                + "timed out or did not call, and \(rules.error ?? 0) % were allowed."
        case .successThreshold:
            return "It paused by itself: \(name) is through, and \((group?.succeeded ?? 0).grouped) of "
                + "\((group?.members ?? 0).grouped) devices have the release; \(rules.success) % were wanted before the next group."
        case .rights:
            return
                "It paused by itself: whoever answers for it may not install any more. Who resumes it answers for it."
        case .releaseWithdrawn:
            return "It paused by itself: the release was withdrawn. It can be stopped or rolled back."
        case .target:
            return "It paused by itself: what it is for can not be found any more, such as a domain that was deleted."
        }
    }
}

extension CampaignGroup {
    /// The state on screens.
    func badge(in campaign: Campaign) -> Badge {
        if isOver { return failures > 0 ? .warning("Through, with failures") : .good("Through") }
        if started != nil {
            return campaign.state == .paused
                ? .warning("Paused") : campaign.state.isLive ? .good("Under way") : .off("Being ended")
        }
        return campaign.state.isLive ? .off("Waits") : .off("Never began")
    }

    /// What stands in its bar.
    var meter: [OverviewPage.Part] { OverviewPage.Part.of(counts, upToDate: upToDate, total: members) }
}

extension OverviewPage.Part {
    /// What stands in a bar of a thousand: done, failed, under way; the rest waits.
    static func of(_ counts: [TaskState: Int], upToDate: Int = 0, total: Int) -> [OverviewPage.Part] {
        let groups: [(String, (TaskState) -> Bool, Int)] = [
            ("ok", { $0 == .succeeded }, upToDate), ("critical", \.isFailure, 0), ("warning", \.isWithDevice, 0),
        ]
        var from = 0
        return groups.map { shape, belongs, more in
            let tasks = counts.reduce(more) { $0 + (belongs($1.key) ? $1.value : 0) }
            let length = tasks * 1000 / max(total, 1)
            defer { from += length }
            return OverviewPage.Part(shape: shape, from: from, length: length)
        }
    }
}

extension OperationTerms {
    /// When and how often devices may try, line by line.
    var facts: [DeviceView.Fact] {
        let retries = TaskFailure.allCases.compactMap { kind in
            self.retries[kind].flatMap { $0 > 0 ? "\($0.counted("time", "times")) after \(kind.words)" : nil }
        }
        return [
            .init("Starts", starts == nil ? "at once" : nil, time: Moment(starts)),
            .init("Given out", windows.isEmpty ? "at any time" : windows.map(\.words).joined(separator: "; ")),
            .init("A device must call within", Self.length(life)), .init("A device may take", Self.length(timeout)),
            .init("Tried again", retries.isEmpty ? "never" : retries.joined(separator: ", ")),
        ]
    }

    /// A length of time in its largest whole unit.
    static func length(_ seconds: Int64) -> String {
        for (length, one, several) in [
            (Int64(86_400), "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes"),
        ]
        where seconds >= length && seconds.isMultiple(of: length) {
            return Int(seconds / length).counted(one, several)
        }
        return Int(seconds).counted("second", "seconds")
    }
}

extension TaskFailure {
    fileprivate var words: String {
        switch self {
        case .failed: "a failure"
        case .timedOut: "a time-out"
        case .refused: "a refusal"
        }
    }
}

extension MaintenanceWindow {
    /// Days and times of day.
    var words: String {
        let text: (String) -> String = { json[$0]?.string ?? "" }
        return
            "\(days.count == 7 ? "every day" : days.sorted().map { Self.days[$0].beginningUpper }.joined(separator: ", ")) "
            + "\(text("from")) to \(text("to")) (\(zone.text))"
    }
}
