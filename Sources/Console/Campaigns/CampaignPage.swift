import Access
import Base
import Northbound
import Operations

/// A campaign: how far each of its groups is, what makes it go on, and why it is paused.
struct CampaignPage: PageView {
    static let template = "campaign"
    static let menu: MenuItem? = .firmware

    struct Group: Sendable {
        let name: String
        let badge: Badge
        let progress: String
        let parts: [OverviewPage.Part]
        /// Numbers of devices, each of which leads to their tasks.
        let numbers: [Number]
        /// The tasks of the group's devices; nil before it has begun.
        let tasks: String?
    }

    struct Number: Sendable {
        let words: String
        /// The tasks that it counts; nil when they have none.
        let tasksAddress: String?
    }

    let title: String
    let badge: Badge
    let summary: String
    let created: Moment
    let why: String?
    let progress: String
    let parts: [OverviewPage.Part]
    let isOpen: Bool
    let groups: [Group]
    let rollback: Group?
    let facts: [DeviceView.Fact]
    let acts: [ReleasePage.Act]
    let hasActs: Bool
    let list: String
}

extension CampaignPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let campaign = try await console.campaign(visit)
        let here = "\(visit.home)/firmware/campaigns/\(campaign.id.text)"
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        title = campaign.title
        badge = campaign.badge
        summary = "ordered by \(campaign.creatorName)"
        created = Moment(campaign.created)
        why = campaign.why
        progress = campaign.progress
        parts = campaign.meter
        isOpen = campaign.state.isLive || campaign.finished == nil
        groups = campaign.groups.map { Self.group($0, in: campaign, visit.home) }
        rollback = try await campaign.rollback.asyncMap { rollback in
            try await Self.rollback(rollback, console, visit)
        }
        let release = try await Self.release(campaign, console, visit)
        facts = Self.facts(campaign, release)
        acts = CampaignAct.allCases.filter {
            $0.isOffered(for: campaign, to: visit.principal.id) && held.contains($0.permission)
        }.map { .init(label: "\($0.label)…", address: "\(here)/\($0.rawValue)", look: $0.look) }
        hasActs = !acts.isEmpty
        list = "\(visit.home)/firmware/campaigns"
    }

    private static func group(_ group: CampaignGroup, in campaign: Campaign, _ home: String) -> Group {
        let tasks = group.operation.map { "\(home)/tasks/\($0.text)" }
        var numbers = self.numbers(group.counts, tasks)
        if group.upToDate > 0 { numbers.append(.init(words: "\(group.upToDate.grouped) had it", tasksAddress: nil)) }
        if group.leftOut > 0 { numbers.append(.init(words: "\(group.leftOut.grouped) left out", tasksAddress: nil)) }
        if group.planned > 0 { numbers.append(.init(words: "\(group.planned.grouped) not yet", tasksAddress: nil)) }
        return Group(
            name: "Group \(group.number)" + (group.percent.map { ", \($0) %" } ?? ", named devices"),
            badge: group.badge(in: campaign),
            progress: "\(group.succeeded.grouped) of \(group.members.grouped) have it"
                + (group.failures > 0 ? ", \(group.failures.grouped) failed" : ""),
            parts: group.meter, numbers: numbers, tasks: tasks)
    }

    /// How many tasks are in each state, each number leading to them.
    private static func numbers(_ counts: [TaskState: Int], _ tasks: String?) -> [Number] {
        TaskState.allCases.filter { counts[$0, default: 0] > 0 }.map { state in
            Number(
                words: "\(counts[state, default: 0].grouped) \(state.label.lowercased())",
                tasksAddress: tasks.map { "\($0)?state=\(state.name)" })
        }
    }

    private static func rollback(
        _ rollback: CampaignRollback, _ console: ConsoleParts, _ visit: TenantVisit
    ) async throws -> Group {
        let former = try await console.operations.release(rollback.release, of: visit.tenant.id)
        let tasks = rollback.operation.map { "\(visit.home)/tasks/\($0.text)" }
        let total = rollback.counts.values.reduce(0, +)
        let isOver = total > 0 && !rollback.counts.contains { $0.key.isOpen && $0.value > 0 }
        return Group(
            name: "Back to \(former?.version ?? "the former release")",
            badge: isOver ? .good("Through") : .warning("Under way"),
            progress: "\(rollback.counts[.succeeded, default: 0].grouped) of \(total.grouped) have it again",
            parts: OverviewPage.Part.of(rollback.counts, total: total),
            numbers: numbers(rollback.counts, tasks), tasks: tasks)
    }

    /// The release that it brings, and where its page is for who may see it.
    private static func release(
        _ campaign: Campaign, _ console: ConsoleParts, _ visit: TenantVisit
    ) async throws -> DeviceView.Fact {
        let release = try await console.operations.release(campaign.release, of: visit.tenant.id)
        return .init("Release", release.map { "\($0.component) \($0.version)" })
    }

    private static func facts(_ campaign: Campaign, _ release: DeviceView.Fact) -> [DeviceView.Fact] {
        let target = campaign.target
        let devices =
            target["filter"]?.string ?? target["domain"]?.string.map { "in \($0)" }
            ?? (target["filter"] == .null
                ? "all" : "\(Int(target["devices"]?.integer ?? 0).counted("device", "devices")) by name")
        let rules: [DeviceView.Fact] = [
            release, .init("Devices", devices),
            .init("Newcomers", campaign.takesNewcomers ? "join it" : "do not join it"),
            .init("The next group begins", "when \(campaign.rules.success) % of the one before have the release"),
            .init(
                "It pauses",
                campaign.rules.error.map {
                    "when \($0) % failed, judged from \(campaign.rules.sample.counted("device", "devices")) on"
                } ?? "never by itself because of failures"),
        ]
        let outcome: [DeviceView.Fact] = [
            .init("Approved by", campaign.approverName), .init("Begun", time: Moment(campaign.started)),
            .init("Over", time: Moment(campaign.finished)),
        ]
        return (rules + campaign.terms.facts + outcome).filter { !$0.isEmpty }
    }
}
