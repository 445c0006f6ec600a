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

/// The tree of domains, and beside it the one that is selected: what lives there and who has access.
struct SitesPage: PageView {
    static let template = "sites"
    static let menu: MenuItem? = .sites

    /// What can be undone at once, behind an act.
    struct Undo: Sendable {
        let undoAddress: String
        let words: String
    }

    /// A domain found by its name.
    struct Found: Sendable {
        let label: String
        let address: String
    }

    /// The domains that a name found.
    struct Search: Sendable {
        let matches: [Found]
        let note: String
    }

    /// The domain that is selected.
    struct Place: Sendable {
        let id: String
        let name: String
        let crumbs: [Found]
        let hasCrumbs: Bool
        let facts: String
        let devices: DeviceList?
        let below: BelowList?
        let access: AccessList?
        let acts: Acts?
        /// What its devices are wanted to be; nil for who sees none.
        let configurationAddress: String?
    }

    /// What may be done with the domain itself.
    struct Acts: Sendable {
        let createAddress: String
        let renameAddress: String?
        let moveDomainAddress: String?
        let deleteAddress: String?
    }

    /// The devices that live in the domain itself.
    struct DeviceList: Sendable {
        let heading: String
        let listAddress: String
        let listLabel: String
        let lines: [DeviceLine]
        let isNone: Bool
        let nextDevices: String?
    }

    struct DeviceLine: Sendable {
        let deviceID: String
        let deviceName: String
        let deviceAddress: String
        let badge: Badge
        let state: String
        let deviceMoveAddress: String?
    }

    /// The domains right below.
    struct BelowList: Sendable {
        let heading: String
        let lines: [BelowLine]
        let nextBelow: String?
    }

    struct BelowLine: Sendable {
        let domainID: String
        let domainName: String
        let domainAddress: String
        let domainCount: String?
        let domainMoveAddress: String?
    }

    /// Who has access.
    struct AccessList: Sendable {
        let summary: String
        let holders: [HolderLine]
        let isNobody: Bool
        let grantAddress: String?
        let shareAddress: String?
    }

    let title = "Sites & access"
    let tabs: [SitesTab]
    let summary: String
    let address: String
    let script: String
    let find: String
    let search: Search?
    let rows: [TreeRow]
    let isEmpty: Bool
    let hasMoves: Bool
    let place: Place?
    let undo: Undo?
}

/// One of the pages that belong together here.
struct SitesTab: Sendable {
    let label: String
    let address: String
    let isOn: Bool

    /// The pages for somebody who holds this.
    static func all(_ home: String, _ current: Which, _ held: Set<Permission>) -> [SitesTab] {
        Which.allCases.filter { held.contains($0.permission) }.map {
            SitesTab(label: $0.label, address: "\(home)/sites\($0.path)", isOn: $0 == current)
        }
    }

    /// Which page.
    enum Which: CaseIterable {
        case tree, people, changes, shares

        var label: String {
            switch self {
            case .tree: "Tree"
            case .people: "People"
            case .changes: "Changes"
            case .shares: "Shares"
            }
        }

        var path: String {
            switch self {
            case .tree: ""
            case .people: "/people"
            case .changes: "/changes"
            case .shares: "/shares"
            }
        }

        var permission: Permission {
            switch self {
            case .tree, .changes: .domainRead
            case .people: .principalRead
            case .shares: .shareRead
            }
        }
    }
}

extension SitesPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, script: String) async throws {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let tree = try await console.tree(visit)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        guard let selected = tree.domain(visit.query.text("at")) else {
            throw Refusal(.notFound, "domain.unknown", "There is no such domain, or it is not for you.")
        }
        tabs = SitesTab.all(home, .tree, held)
        self.script = script
        address = "\(home)/sites"
        let seesDevices = held.contains(.deviceRead)
        let own = seesDevices ? try await console.fleet.countByDomain(in: tenant, by: principal) : [:]
        let sums = tree.summed(own)
        let open = Set(visit.query.texts("open").prefix(ConsoleLimits.openBranches).compactMap { DomainID(text: $0) })
        rows =
            TreeRows(
                tree, counts: seesDevices ? sums : nil, selected: selected.id, open: open, home: home,
                canMove: held.contains(.domainManage)
            ).rows
        let domains = tree.all.count
        summary =
            (domains == 1 ? "1 domain" : "\(domains.grouped) domains")
            + (seesDevices ? ", \(own.values.reduce(0, +).grouped) devices" : "")
        isEmpty = domains == 1
        hasMoves = held.contains(.domainManage) || held.contains(.deviceManage)
        find = visit.query.text("find") ?? ""
        search = visit.query.text("find").map { Self.search($0, tree, home) }
        undo = Self.undo(visit)
        place = try await Place(console, visit, tree, selected, counts: seesDevices ? sums : nil)
    }

    private static func search(_ text: String, _ tree: DomainTree, _ home: String) -> Search {
        let (found, hasMore) = tree.matching(text, limit: ConsoleLimits.siteRows)
        return Search(
            matches: found.map {
                Found(label: tree.label($0.id) ?? $0.name, address: "\(home)/sites?at=\($0.id.text)")
            },
            note: found.isEmpty
                ? "No domain has “\(text)” in its path."
                : hasMore ? "These are the first \(found.count); say more of the name." : "\(found.count) found.")
    }

    /// The button behind an act that was just done: the address names what it would undo.
    private static func undo(_ visit: TenantVisit) -> Undo? {
        if let id = visit.query.text("undo-move").flatMap({ MoveID(text: $0) }) {
            return Undo(undoAddress: "\(visit.home)/sites/moves/\(id.text)/undo", words: "Moved.")
        }
        if let id = visit.query.text("undo-grant").flatMap({ GrantChangeID(text: $0) }) {
            return Undo(undoAddress: "\(visit.home)/sites/grants/\(id.text)/undo", words: "Access is changed.")
        }
        return nil
    }
}

extension SitesPage.Place {
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ tree: DomainTree, _ domain: Domain,
        counts: [DomainID: Int]?
    ) async throws {
        let home = visit.home
        let held = try await console.permissions(visit, at: domain.id)
        let sites = "\(home)/sites"
        id = domain.id.text
        name = domain.name
        crumbs = tree.line(to: domain.id).dropLast().map {
            .init(label: $0.name, address: "\(sites)?at=\($0.id.text)")
        }
        hasCrumbs = !crumbs.isEmpty
        let children = tree.children(of: domain.id)
        let all = tree.subtree(of: domain.id).count - 1
        facts =
            domain.parent == nil
            ? "The top of the organisation." : all == 0 ? "Nothing below." : "\(all.grouped) domains below."
        let canMove = held.contains(.domainManage)
        below =
            children.isEmpty
            ? nil : Self.below(children, visit, domain, counts: counts, canMove: canMove, total: children.count)
        devices =
            counts == nil
            ? nil : try await Self.devices(console, visit, domain, total: counts?[domain.id] ?? 0, held)
        access =
            held.contains(.reachRead)
            ? try await SitesPage.AccessList(console, visit, tree, domain, held) : nil
        acts =
            canMove
            ? .init(
                createAddress: "\(sites)/domains/\(id)/create",
                renameAddress: "\(sites)/domains/\(id)/rename",
                moveDomainAddress: domain.parent == nil ? nil : "\(sites)/move?domain=\(id)",
                deleteAddress: domain.parent == nil ? nil : "\(sites)/domains/\(id)/delete") : nil
        configurationAddress = held.contains(.deviceRead) ? "\(home)/configuration?domain=\(id)" : nil
    }

    private static func below(
        _ children: [Domain], _ visit: TenantVisit, _ domain: Domain, counts: [DomainID: Int]?, canMove: Bool,
        total: Int
    ) -> SitesPage.BelowList {
        let after = visit.query.text("below")
        let rest = after.map { after in children.drop { $0.name <= after } } ?? children[...]
        let shown = rest.prefix(ConsoleLimits.siteRows)
        let sites = "\(visit.home)/sites"
        return SitesPage.BelowList(
            heading: total == 1 ? "1 domain right below" : "\(total.grouped) domains right below",
            lines: shown.map { child in
                .init(
                    domainID: child.id.text, domainName: child.name, domainAddress: "\(sites)?at=\(child.id.text)",
                    domainCount: counts.map {
                        ($0[child.id] ?? 0) == 1 ? "1 device" : "\(($0[child.id] ?? 0).grouped) devices"
                    },
                    domainMoveAddress: canMove ? "\(sites)/move?domain=\(child.id.text)" : nil)
            },
            nextBelow: rest.count > shown.count
                ? shown.last.map { "\(sites)?at=\(domain.id.text)&below=\($0.name.percentEncoded)#below" } : nil)
    }

    private static func devices(
        _ console: ConsoleParts, _ visit: TenantVisit, _ domain: Domain, total: Int, _ held: Set<Permission>
    ) async throws -> SitesPage.DeviceList {
        var query = DeviceQuery(cursor: visit.query.text("devices"), limit: ConsoleLimits.siteRows)
        query.livesIn = domain.id
        let page = try await console.fleet.list(query, in: visit.tenant.id, by: visit.principal)
        let list = "\(visit.home)/devices"
        return SitesPage.DeviceList(
            heading: "Devices right here", listAddress: "\(list)?domain=\(domain.id.text)",
            listLabel: total == 1 ? "1 device here and below" : "\(total.grouped) devices here and below",
            lines: page.items.map { item in
                .init(
                    deviceID: item.device.id.text, deviceName: item.device.name.text,
                    deviceAddress: "\(list)/\(item.device.name)", badge: Badge(item.device.status, item.presence),
                    state: item.device.status == .active ? "live" : "fixed",
                    deviceMoveAddress: held.contains(.deviceManage)
                        ? "\(visit.home)/sites/move?device=\(item.device.name.text.percentEncoded)" : nil)
            }, isNone: page.items.isEmpty,
            nextDevices: page.next.map { "\(visit.home)/sites?at=\(domain.id.text)&devices=\($0)#devices" })
    }
}
