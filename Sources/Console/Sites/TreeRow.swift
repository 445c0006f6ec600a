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

/// One line of the tree as it is written: nested lists made of a flat row of lines, each of which says what opens and
/// what ends behind it, because templates do not call themselves.
struct TreeRow: Sendable {
    /// What opens and closes the lines below.
    struct Toggle: Sendable {
        let toggleAddress: String
        let toggleLabel: String
        let icon: String
        let expanded: String
    }

    /// How many devices live in a domain and below, and where they are listed.
    struct Count: Sendable {
        let text: String
        let listAddress: String
    }

    /// The end of a level.
    struct Closing: Sendable {
        /// Set when the level has more domains than are shown.
        let more: More?
    }

    /// The domains of a level that are not shown here.
    struct More: Sendable {
        let words: String
        let moreAddress: String
    }

    let id: String
    let name: String
    let address: String
    let isSelected: Bool
    let toggle: Toggle?
    let count: Count?
    let moveAddress: String?
    /// Whether lines of the next level follow.
    let opens: Bool
    /// The levels that end behind this line, the innermost first.
    var closings: [Closing]
}

/// Writes the lines of the tree that an address opens.
struct TreeRows {
    let tree: DomainTree
    let counts: [DomainID: Int]?
    let selected: DomainID?
    let open: Set<DomainID>
    let home: String
    let canMove: Bool
    private(set) var rows: [TreeRow] = []

    init(
        _ tree: DomainTree, counts: [DomainID: Int]?, selected: DomainID?, open: Set<DomainID>, home: String,
        canMove: Bool
    ) {
        self.tree = tree
        self.counts = counts
        self.selected = selected
        self.open = open
        self.home = home
        self.canMove = canMove
        let line = Set(selected.map { tree.line(to: $0).map(\.id) } ?? [])
        write(tree.tops, line)
    }

    private mutating func write(_ level: [Domain], _ line: Set<DomainID>) {
        // What leads to the selected domain is shown even when it comes late in its level.
        let first = level.prefix(ConsoleLimits.treeLevel)
        let shown = first + level.dropFirst(first.count).filter { line.contains($0.id) }.prefix(1)
        for domain in shown {
            let children = tree.children(of: domain.id)
            let isOpen =
                !children.isEmpty && (line.contains(domain.id) || open.contains(domain.id) || domain.parent == nil)
                && rows.count < ConsoleLimits.treeLines
            rows.append(row(domain, hasChildren: !children.isEmpty, isOpen: isOpen))
            guard isOpen else { continue }
            write(children, line)
            let hidden = children.count - min(children.count, ConsoleLimits.treeLevel)
            rows[rows.count - 1].closings.append(
                .init(
                    more: hidden > 0
                        ? .init(
                            words: "\(hidden.grouped) more",
                            moreAddress: "\(home)/sites?at=\(domain.id.text)#below") : nil))
        }
    }

    private func row(_ domain: Domain, hasChildren: Bool, isOpen: Bool) -> TreeRow {
        TreeRow(
            id: domain.id.text, name: domain.name, address: address(selecting: domain.id),
            isSelected: domain.id == selected,
            toggle: hasChildren && domain.parent != nil ? toggle(domain, isOpen) : nil,
            count: counts.map {
                TreeRow.Count(
                    text: ($0[domain.id] ?? 0).grouped, listAddress: "\(home)/devices?domain=\(domain.id.text)")
            },
            moveAddress: canMove && domain.parent != nil ? "\(home)/sites/move?domain=\(domain.id.text)" : nil,
            opens: isOpen, closings: [])
    }

    private func toggle(_ domain: Domain, _ isOpen: Bool) -> TreeRow.Toggle {
        var next = open
        if isOpen { next.remove(domain.id) } else { next.insert(domain.id) }
        // To close what leads to the selected domain is to select its top.
        let leads = selected.map { tree.line(to: $0).contains { $0.id == domain.id } } ?? false
        let at = isOpen && leads ? domain.parent : selected
        return TreeRow.Toggle(
            toggleAddress: Self.address(home, at: at, open: next),
            toggleLabel: "\(isOpen ? "Close" : "Open") \(domain.name)", icon: isOpen ? "chevron" : "next",
            expanded: isOpen ? "true" : "false")
    }

    private func address(selecting id: DomainID) -> String { Self.address(home, at: id, open: open) }

    /// The page with this domain selected and these open.
    static func address(_ home: String, at domain: DomainID?, open: Set<DomainID>) -> String {
        let at = domain.map { ["at=\($0.text)"] } ?? []
        let opened = open.sorted().prefix(ConsoleLimits.openBranches).map { "open=\($0.text)" }
        let query = (at + opened).joined(separator: "&")
        return "\(home)/sites" + (query.isEmpty ? "" : "?" + query)
    }
}
