import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// What was changed lately and can be undone, and what waits for a second approver.
struct ChangesPage: PageView {
    static let template = "sites-changes"
    static let menu: MenuItem? = .sites

    /// A change that waits.
    struct Waiting: Sendable {
        let what: String
        let why: String
        let proposer: String
        let until: Moment
        let approveAddress: String?
        let rejectAddress: String
        let rejectLabel: String
    }

    /// A change that was made.
    struct Line: Sendable {
        let what: String
        let who: String
        let time: Moment
        let undoAddress: String?
        let state: String?
    }

    let title = "Changes"
    let tabs: [SitesTab]
    let waiting: [Waiting]
    let hasWaiting: Bool
    let lines: [Line]
    let isEmpty: Bool
    let older: String?
}

extension ChangesPage {
    private enum Change {
        case move(Move)
        case grant(GrantChange)

        var key: String {
            switch self {
            case .move(let move): move.id.text
            case .grant(let change): change.id.text
            }
        }
    }

    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        let whole = try await console.permissions(visit, at: visit.tenant.rootDomain)
        let tree = try await console.tree(visit)
        tabs = SitesTab.all(home, .changes, held)
        var changes = try await console.access.moves(tenant: tenant, by: principal).map { Change.move($0) }
        var open: [PendingChange] = []
        if whole.contains(.principalRead) {
            changes += try await console.access.grantChanges(tenant: tenant, by: principal).map { .grant($0) }
            open = try await console.access.pendingChanges(status: .proposed, tenant: tenant, by: principal)
        }
        // Identifiers begin with the time at which they were made.
        changes.sort { $0.key > $1.key }
        if let before = visit.query.text("before") { changes.removeAll { $0.key >= before } }
        let shown = changes.prefix(ConsoleLimits.siteRows)
        older = changes.count > shown.count ? shown.last.map { "\(home)/sites/changes?before=\($0.key)" } : nil
        var (grants, people, devices): ([Grant], [PrincipalID], [DeviceID]) = ([], open.map(\.proposer), [])
        for change in shown {
            switch change {
            case .move(let move):
                people.append(move.principal)
                if case .device(let device) = move.object { devices.append(device) }
            case .grant(let change):
                people.append(change.principal)
                grants.append(change.grant)
            }
        }
        let names = GrantNames(try await console.names(grants, visit, people: people, devices: devices), tree)
        let oldest = console.clock.now - .seconds(AccessLimits.undoDays * 86_400)
        lines = shown.map { Self.line($0, names, home, oldest) }
        isEmpty = lines.isEmpty
        waiting = open.prefix(ConsoleLimits.siteRows).map { pending in
            let isOwn = pending.proposer == principal.id
            let address = "\(home)/sites/changes/\(pending.id.text)"
            return Waiting(
                what: Self.words(pending, tree), why: pending.reason, proposer: names.person(pending.proposer),
                until: Moment(pending.expires), approveAddress: isOwn ? nil : address + "/approve",
                rejectAddress: address + "/reject", rejectLabel: isOwn ? "Withdraw" : "Reject")
        }
        hasWaiting = !waiting.isEmpty
    }

    private static func line(_ change: Change, _ names: GrantNames, _ home: String, _ oldest: Timestamp) -> Line {
        switch change {
        case .move(let move):
            let what =
                switch move.object {
                case .device(let id): "Device \(names.device(id))"
                case .domain(let id): "Domain \(names.domain(id))"
                }
            return Line(
                what: "\(what) moved from \(names.domain(move.origin)) to \(names.domain(move.target))",
                who: names.person(move.principal), time: Moment(move.made),
                undoAddress: move.undone == nil && move.made > oldest
                    ? "\(home)/sites/moves/\(move.id.text)/undo" : nil,
                state: move.undone == nil ? nil : "undone")
        case .grant(let change):
            let verb =
                switch change.act {
                case .made: "Given: "
                case .ended: "Ended: "
                case .changed: "Changed, was: "
                }
            return Line(
                what: verb + names.words(change.grant), who: names.person(change.principal), time: Moment(change.made),
                undoAddress: change.undone == nil && change.made > oldest
                    ? "\(home)/sites/grants/\(change.id.text)/undo" : nil,
                state: change.undone == nil ? nil : "undone")
        }
    }

    /// What a change that waits would do.
    private static func words(_ pending: PendingChange, _ tree: DomainTree) -> String {
        let change = pending.change
        func text(_ member: String) -> String? { change[member]?.string }
        switch pending.kind {
        case "grant.put":
            let who = text("principal") ?? "the group \(text("group") ?? "–")"
            let place =
                text("device").map { "the device \($0)" }
                ?? tree.domain(text("domain")).flatMap { tree.label($0.id) } ?? text("domain") ?? "–"
            let end = text("expires").flatMap { Timestamp(rfc3339: $0) }.map { " until \(Moment($0).text)" } ?? ""
            return
                "\(text("replaces") == nil ? "Give" : "Change to") \(text("role") ?? "–") for \(who) at \(place)\(end)"
        case "role.put": return "Write the role \(text("name") ?? "–")"
        case "role.delete": return "Delete the role \(text("role") ?? "–")"
        case "member.put": return "Put \(text("principal") ?? "–") into the group \(text("group") ?? "–")"
        case "approval.policy":
            return change["needsSecond"] == .bool(true) ? "Want a second approver" : "Want no second approver any more"
        case "directory.put": return "Set up the directory \(text("name") ?? "–")"
        default: return pending.kind
        }
    }

    /// The word of the other person, or of the proposer.
    static func decide(_ console: ConsoleParts, _ visit: TenantVisit, approves: Bool) async throws -> Outcome {
        guard let id = PendingChangeID(text: visit.path("change")) else { throw Access.unknown("change") }
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let changed =
            approves
            ? try await console.access.approve(id, tenant: tenant, by: principal)
            : try await console.access.reject(id, tenant: tenant, by: principal)
        return .seeOther("\(visit.home)/sites/changes", done: changed.status == .approved ? .approved : .rejected)
    }
}
