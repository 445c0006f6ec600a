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

/// A tenant's domains as a tree, for one request.
struct DomainTree: Sendable {
    /// The domains at the top of what the visitor sees: the root, or wherever their rights begin.
    let tops: [Domain]
    private let byID: [DomainID: Domain]
    private let below: [DomainID: [Domain]]

    init(_ domains: [Domain]) {
        let byID = Dictionary(domains.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        self.byID = byID
        below = Dictionary(grouping: domains.filter { $0.parent != nil }) { $0.parent ?? $0.id }
            .mapValues { $0.sorted { $0.name < $1.name } }
        tops = domains.filter { domain in domain.parent.map { byID[$0] == nil } ?? true }.sorted { $0.name < $1.name }
    }

    /// All domains.
    var all: some Collection<Domain> & Sendable { byID.values }

    subscript(_ id: DomainID) -> Domain? { byID[id] }

    /// The domain that an address names, the topmost when it names none.
    func domain(_ text: String?) -> Domain? {
        guard let text else { return tops.first }
        return DomainID(text: text).flatMap { byID[$0] }
    }

    /// The domains right below one, by name.
    func children(of id: DomainID) -> [Domain] { below[id] ?? [] }

    /// From the top down to a domain, itself included.
    func line(to id: DomainID) -> [Domain] {
        var line: [Domain] = []
        var next = byID[id]
        // A tree's depth is bounded; the count ends even a damaged one.
        while let current = next, line.count < AccessLimits.domainDepth {
            line.insert(current, at: 0)
            next = current.parent.flatMap { byID[$0] }
        }
        return line
    }

    /// What people read for a domain: the path below the root, the root by its own name.
    func label(_ id: DomainID) -> String? {
        let line = line(to: id)
        if line.count > 1, line[0].parent == nil { return line.dropFirst().map(\.name).joined(separator: " / ") }
        return line.isEmpty ? nil : line.map(\.name).joined(separator: " / ")
    }

    /// A domain and everything below it.
    func subtree(of id: DomainID) -> Set<DomainID> {
        var found: Set<DomainID> = [id]
        var open = [id]
        while let next = open.popLast() {
            for child in children(of: next) where found.insert(child.id).inserted { open.append(child.id) }
        }
        return found
    }

    /// The counts of the domains themselves, summed up over all that is below each.
    func summed(_ counts: [DomainID: Int]) -> [DomainID: Int] {
        var sums: [DomainID: Int] = [:]
        for (id, count) in counts {
            for domain in line(to: id) { sums[domain.id, default: 0] += count }
        }
        return sums
    }

    /// Domains whose path has this text in it, in either case, in the order of their paths; at most `limit`.
    func matching(_ text: String?, limit: Int, except left: Set<DomainID> = []) -> (found: [Domain], hasMore: Bool) {
        let wanted = text?.lowercased()
        var found: [(label: String, domain: Domain)] = []
        for domain in byID.values where !left.contains(domain.id) {
            guard let label = label(domain.id) else { continue }
            if let wanted, !label.lowercased().contains(wanted) { continue }
            found.append((label, domain))
        }
        found.sort { ($0.domain.parent == nil ? "" : $0.label) < ($1.domain.parent == nil ? "" : $1.label) }
        return (found.prefix(limit).map(\.domain), found.count > limit)
    }
}

extension ConsoleParts {
    /// The domains that the visitor sees; none when there are none for them.
    func tree(_ visit: TenantVisit) async throws -> DomainTree {
        do {
            return DomainTree(try await access.domains(tenant: visit.tenant.id, by: visit.principal))
        } catch let refusal as Refusal where refusal.kind == .notFound {
            return DomainTree([])
        }
    }

    /// What the visitor holds at a domain.
    func permissions(_ visit: TenantVisit, at domain: DomainID) async throws -> Set<Permission> {
        let (access, principal, tenant) = (access, visit.principal, visit.tenant.id)
        return try await database.tenant(tenant).read { tx in
            try access.permissions(of: principal, tenant: tenant, at: GrantPlace(domain: domain), in: tx)
        }
    }
}
