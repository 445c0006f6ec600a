import Access
import Base
import Delivery
import Northbound
import SignIn

/// The changes of security settings that wait for a second approver.
extension PageTable {
    static func changes(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .changes) { try await .show(ChangePages.list($0)) },
            console.settings("/{change}", .changes) { try await .show(ChangePages.record($0)) },
            console.settings(posting: "/{change}", .changes, needs: .principalManage) {
                try await ChangePages.decide($0)
            },
        ]
    }
}

enum ChangePages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let wanted = visit.query.text("state").flatMap { PendingChange.Status(rawValue: $0) }
        let found = try await visit.console.access.pendingChanges(
            status: wanted, tenant: visit.tenantID, by: visit.principal)
        let size = ConsoleLimits.pageSize
        let page = found.drop { change in visit.query.text("cursor").map { change.id.text >= $0 } ?? false }
            .prefix(size)
        let names = try await names(of: Set(page.flatMap { [$0.proposer] + [$0.decider].compactMap { $0 } }), visit)
        let filter = wanted.map { "&state=\($0.rawValue)" } ?? ""
        return SettingsList(
            visit.place, "Changes",
            "Where the organisation wants a second approver, changes of security settings wait here for one.",
            heads: ["Change", "Reason", "Proposed by", "Proposed", "State"],
            rows: page.map { change in
                .init(
                    name: .text(change.title, link: visit.address(change.id.text)),
                    cells: [
                        .text(change.reason), .text(names[change.proposer] ?? change.proposer.text),
                        .time(change.proposed), .badge(Badge(change.status)),
                    ])
            }, nothing: "Nothing waits, and nothing was proposed in the last year.",
            filters: [.init(choice: "All", leads: visit.address(), isChosen: wanted == nil)]
                + PendingChange.Status.allCases.map {
                    .init(
                        choice: Badge($0).word, leads: "\(visit.address())?state=\($0.rawValue)",
                        isChosen: wanted == $0)
                },
            next: page.count == size
                ? page.last.map { "\(visit.address())?cursor=\($0.id)\(filter)" } : nil)
    }

    private static func find(_ visit: SettingsVisit) async throws -> ChangeReview {
        guard let id = PendingChangeID(text: visit.path("change")) else { throw Gatekeeper.notHere }
        return try await visit.console.access.review(id, tenant: visit.tenantID, by: visit.principal)
    }

    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let review = try await find(visit)
        let change = review.change
        let isOpen = change.status == .proposed && visit.can(.principalManage)
        let isOwn = change.proposer == visit.principal.id
        let address = visit.address(change.id.text)
        var people: Set<PrincipalID> = [change.proposer]
        if let decider = change.decider { people.insert(decider) }
        let names = try await names(of: people, visit)
        let outlets =
            change.change["outlet"] != nil && visit.can(.deliveryRead)
            ? try await visit.console.delivery.outlets(of: visit.tenantID) : []
        let words = ChangeWords(
            review, outlets: Dictionary(outlets.map { ($0.id.text, $0.name.text) }, uniquingKeysWith: { $1 }))
        let since = isOpen ? words.since : []
        return SettingsRecord(
            visit.place, change.title, state: Badge(change.status),
            acts: isOpen
                ? (isOwn
                    ? [.button("Take back", address, "reject", "danger")]
                    : [
                        .button("Approve", address, "approve", "primary", seen: review.seen),
                        .button("Turn down", address, "reject", "danger"),
                    ]) : [],
            panels: [
                .init("what", "What it changes", facts: words.facts),
                since.isEmpty
                    ? nil
                    : .init(
                        "since", "Changed since it was proposed",
                        lines: since.map { .init(name: .text($0), cells: [.badge(.warning("Look"))]) }),
                review.members.isEmpty
                    ? nil
                    : .init(
                        "members", "Who gets it by the user group",
                        lines: review.members.map { .init(name: .text($0.name), cells: ChangeWords.mark($0.isNew)) }),
                review.gifts.isEmpty
                    ? nil
                    : .init(
                        "gifts", "What the user group holds",
                        lines: review.gifts.map { .init(name: .text($0.words), cells: ChangeWords.mark($0.isNew)) }),
                .init(
                    "who", "Who and why",
                    explains: isOpen
                        ? (isOwn
                            ? "Another administrator must approve it; you can take it back."
                            : "When you approve it, it is made at once, under your rights as well as the proposer's.")
                        : nil,
                    facts: [
                        .init("Reason", .text(change.reason)),
                        .init("Proposed by", .text(names[change.proposer] ?? change.proposer.text)),
                        .init("Proposed", .time(change.proposed)), .init("Waits until", .time(change.expires)),
                        .init(
                            "Decided by", .text(change.decider.map { names[$0] ?? $0.text } ?? "nobody yet")),
                        .init("Decided", .time(change.decided, else: "not yet")),
                    ]),
            ].compactMap { $0 })
    }

    static func decide(_ visit: SettingsVisit) async throws -> Outcome {
        let change = try await find(visit).change
        let address = visit.address(change.id.text)
        switch visit.form.exact("act") {
        case "approve":
            _ = try await visit.console.access.approve(
                change.id, seen: visit.form.exact("seen"), tenant: visit.tenantID, by: visit.principal)
            return .seeOther(address, done: .approved)
        case "reject":
            _ = try await visit.console.access.reject(change.id, tenant: visit.tenantID, by: visit.principal)
            return .seeOther(address, done: .rejected)
        default: throw Refusal(.invalid, "act.unknown", "There is no such action.")
        }
    }

    /// What people call these principals; who is gone has none.
    static func names(of ids: Set<PrincipalID>, _ visit: SettingsVisit) async throws -> [PrincipalID: String] {
        var names: [PrincipalID: String] = [:]
        for id in ids {
            do {
                let account = try await visit.console.signIn.account(
                    id.text, tenant: visit.tenantID, by: visit.principal)
                names[id] = account.name
            } catch let refusal as Refusal where refusal.kind == .notFound {
                continue
            }
        }
        return names
    }
}

extension PendingChange {
    /// What a member names, as it is called; what is no more says so.
    func called(_ member: String) -> String {
        guard let text = change[member]?.string else { return "" }
        return names[text] ?? (told?.names[text].map { "\($0) (is no more)" } ?? text)
    }

    /// Where it gives something.
    private var place: String {
        change["device"]?.string != nil
            ? " at the device \(called("device"))"
            : called("domain") == "/" ? " everywhere" : change["domain"]?.string == nil ? "" : " at \(called("domain"))"
    }

    /// What it is, in a few words.
    var title: String {
        switch kind {
        case "role.put": "Role \(change["name"]?.string ?? "")"
        case "role.delete": "Delete the role \(called("role"))"
        case "grant.put":
            "Give the role \(called("role")) to "
                + (change["group"]?.string == nil ? called("principal") : "the group \(called("group"))") + place
        case "member.put": "Put \(called("principal")) into the group \(called("group"))"
        case "share.put":
            "Lend the role \(called("role")) to \(change["holder"]?.string ?? "") of \(called("to"))" + place
        case "approval.policy":
            change["needsSecond"] == true ? "Want a second approver" : "Want no second approver any more"
        case "signin.policy": "Sign-in rules"
        case "factor.policy": "Demand a factor"
        case "directory.put": "Directory \(change["name"]?.string ?? "")"
        case "outlet.put": outletTitle
        case "outlet.delete": "Delete an outlet"
        case "campaign.policy":
            change["needsSecond"] == true
                ? "Want another person for each campaign" : "Let campaigns begin at once"
        case "updateKey.put": "Trust the update key \(change["name"]?.string ?? "")"
        case "updateKey.delete": "Trust the update key \(called("name")) no more"
        default: kind
        }
    }

    private var outletTitle: String {
        let name = change["name"]?.string
        guard case .object(let members) = change, members["outlet"] != nil else { return "Outlet \(name ?? "")" }
        guard members.count == 2, let isActive = members["active"] else {
            return name.map { "Change the outlet \($0)" } ?? "Change an outlet"
        }
        return isActive == true ? "Switch an outlet on" : "Switch an outlet off"
    }
}

extension Badge {
    /// How far a change has come.
    init(_ status: PendingChange.Status) {
        self =
            switch status {
            case .proposed: .warning("Waits")
            case .approved: .good("Approved")
            case .rejected: .critical("Turned down")
            case .withdrawn: .off("Taken back")
            case .expired: .off("Expired")
            }
    }
}
