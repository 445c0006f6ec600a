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

    private static func find(_ visit: SettingsVisit) async throws -> PendingChange {
        let all = try await visit.console.access.pendingChanges(tenant: visit.tenantID, by: visit.principal)
        guard let change = all.first(where: { $0.id.text == visit.path("change") }) else { throw Gatekeeper.notHere }
        return change
    }

    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let change = try await find(visit)
        let isOpen = change.status == .proposed && visit.can(.principalManage)
        let isOwn = change.proposer == visit.principal.id
        let address = visit.address(change.id.text)
        var people: Set<PrincipalID> = [change.proposer]
        if let decider = change.decider { people.insert(decider) }
        if let holder = change.change["principal"]?.string.flatMap({ PrincipalID(text: $0) }) { people.insert(holder) }
        let names = try await names(of: people, visit)
        return SettingsRecord(
            visit.place, change.title, state: Badge(change.status),
            acts: isOpen
                ? (isOwn
                    ? [.button("Take back", address, "reject", "danger")]
                    : [
                        .button("Approve", address, "approve", "primary"),
                        .button("Turn down", address, "reject", "danger"),
                    ]) : [],
            panels: [
                .init("what", "What it changes", facts: try await facts(change, names, visit)),
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
            ])
    }

    private static func facts(
        _ change: PendingChange, _ names: [PrincipalID: String], _ visit: SettingsVisit
    ) async throws -> [SettingsRecord.Fact] {
        guard case .object(let members) = change.change else { return [] }
        let groups = try await visit.console.access.groups(tenant: visit.tenantID, by: visit.principal)
        let outlets =
            members["outlet"] != nil && visit.can(.deliveryRead)
            ? try await visit.console.delivery.outlets(of: visit.tenantID) : []
        return members.sorted { $0.key < $1.key }.flatMap { key, value in
            let cell: SettingsCell
            switch value {
            case .object where key == "settings": return OutletForm.facts(value)
            case .string(let text) where key == "outlet":
                cell =
                    outlets.first { $0.id.text == text }.map {
                        .text($0.name.text, link: visit.address(of: .outlets, text))
                    } ?? .code(text)
            case .string(let text) where key == "kind":
                cell = .text(DeliveryKind(rawValue: text)?.words ?? text)
            case .string(let text) where key == "principal":
                cell = .text(PrincipalID(text: text).flatMap { names[$0] } ?? text)
            case .string(let text) where key == "group":
                cell = .text(groups.first { $0.id.text == text }?.name ?? text)
            case .string(let text): cell = .text(text)
            case .array(let items): cell = .tags(items.map(words), else: "none")
            case .bool(let isOn): cell = .text(isOn ? "yes" : "no")
            default: cell = .code(value.canonical)
            }
            return [.init(labels[key] ?? key, cell)]
        }
    }

    /// An element of a list as people read it; what a group is worth, in a sentence.
    private static func words(_ item: JSONValue) -> String {
        if let text = item.string { return text }
        guard let group = item["group"]?.string, let role = item["role"]?.string else { return item.canonical }
        return "\(group): \(role)" + (item["domain"]?.string.map { " at \($0)" } ?? " everywhere")
    }

    private static let labels = [
        "principal": "Who", "group": "User group", "role": "Role", "domain": "Where", "device": "Device",
        "expires": "Until", "name": "Name", "permissions": "Permissions", "needsSecond": "Second approver",
        "profile": "Rules for passwords", "idleMinutes": "Minutes without use", "sessionHours": "Hours in any case",
        "addresses": "Allowed from", "level": "Factor", "enabled": "In use",
        "createsAccounts": "Gives newcomers accounts", "linksAddresses": "Takes accounts with the same address",
        "groups": "Groups with roles", "openid": "OpenID provider", "ldap": "LDAP server",
        "outlet": "Outlet", "kind": "Kind", "active": "In use", "host": "Host",
    ]

    static func decide(_ visit: SettingsVisit) async throws -> Outcome {
        let change = try await find(visit)
        let address = visit.address(change.id.text)
        switch visit.form.exact("act") {
        case "approve":
            _ = try await visit.console.access.approve(change.id, tenant: visit.tenantID, by: visit.principal)
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
    /// What it is, in a few words.
    var title: String {
        switch kind {
        case "role.put": "Role \(change["name"]?.string ?? "")"
        case "role.delete": "Delete the role \(change["role"]?.string ?? "")"
        case "grant.put": "Give the role \(change["role"]?.string ?? "")"
        case "member.put": "Add a user to a group"
        case "approval.policy": "Second approver"
        case "signin.policy": "Sign-in rules"
        case "factor.policy": "Demand a factor"
        case "directory.put": "Directory \(change["name"]?.string ?? "")"
        case "outlet.put": outletTitle
        case "outlet.delete": "Delete an outlet"
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
