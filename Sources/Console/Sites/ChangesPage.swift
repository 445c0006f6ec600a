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
        /// Where all of it is shown, and decided about.
        let address: String
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
            Waiting(
                what: pending.title, why: pending.reason, proposer: names.person(pending.proposer),
                until: Moment(pending.expires),
                address: "\(home)\(SettingsSection.changes.path)/\(pending.id.text)")
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
}
