import Audit
public import Base
public import Storage

extension Access {
    /// Creates a domain below `parent`, which a path or identifier names; nil is the root.
    public func createDomain(
        _ name: Name, below parent: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Domain {
        try await database.tenant(tenant).write { tx in
            let above = try self.domain(parent, tenant: tenant, in: tx)
            try authorize(principal, .domainManage, tenant: tenant, domain: above, in: tx)
            guard try ancestors(of: above, tenant: tenant, in: tx).count < AccessLimits.domainDepth else {
                throw Refusal(.tooLarge, "domain.depth", "A tree has at most \(AccessLimits.domainDepth) levels.")
            }
            let count = try tx.row("SELECT count(*) FROM domain WHERE tenant = $1")?.int(0) ?? 0
            guard count < directory.plan(of: tenant)?.domains ?? 0 else {
                throw Refusal(.limited, "plan.domains", "The plan's domains are used up; ask for a larger plan.")
            }
            try refuseSibling(name.text, below: above, in: tx)
            let domain = Domain(id: DomainID(now: clock.now), parent: above, name: name.text, created: clock.now)
            try tx.execute(
                "INSERT INTO domain (tenant, id, parent, name, created) VALUES ($1, $2, $3, $4, $5)", domain.id, above,
                name, domain.created)
            try record(
                .domainCreated, tenant, by: principal, "domain", domain.id.text, domain: domain.id,
                details: ["name": .string(name.text)], in: tx)
            return domain
        }
    }

    /// The domains that the caller may see, in no order.
    public func domains(tenant: TenantID, by principal: Principal) async throws -> [Domain] {
        try await database.tenant(tenant).read { tx in
            let all = try tx.rows("SELECT id, parent, name, created FROM domain WHERE tenant = $1").map(Self.read)
            switch try visibleDomains(principal, .domainRead, tenant: tenant, in: tx) {
            case .all: return all
            case .roots(let roots):
                guard !roots.isEmpty else { throw Self.unknown("domain") }
                let parents = Dictionary(all.map { ($0.id, $0.parent) }, uniquingKeysWith: { $1 })
                return all.filter { domain in
                    var next: DomainID? = domain.id
                    while let current = next {
                        if roots.contains(current) { return true }
                        next = parents[current] ?? nil
                    }
                    return false
                }
            }
        }
    }

    /// One domain that the caller may see, named by path or identifier.
    public func domain(_ text: String, tenant: TenantID, by principal: Principal) async throws -> Domain {
        try await database.tenant(tenant).read { tx in
            let id = try self.domain(text, tenant: tenant, in: tx)
            try authorize(principal, .domainRead, tenant: tenant, domain: id, in: tx)
            return try found(id, in: tx)
        }
    }

    /// Renames a domain, or moves it with all below it, or both.
    public func changeDomain(
        _ text: String, name: Name? = nil, below parent: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Domain {
        try await database.tenant(tenant).write { tx in
            let id = try self.domain(text, tenant: tenant, in: tx)
            return try changeDomain(id, name: name, below: parent, tenant: tenant, by: principal, in: tx)
        }
    }

    /// In the caller's transaction; `isMove` says whether a move is noted, so that it can be undone.
    func changeDomain(
        _ id: DomainID, name: Name?, below parent: String?, tenant: TenantID, by principal: Principal,
        isMove: Bool = true, in tx: Transaction
    ) throws -> Domain {
        try authorize(principal, .domainManage, tenant: tenant, domain: id, in: tx)
        let old = try found(id, in: tx)
        var above = old.parent
        if let parent {
            guard old.parent != nil else { throw Refusal(.conflict, "domain.root", "The root can not be moved.") }
            let target = try self.domain(parent, tenant: tenant, in: tx)
            try authorize(principal, .domainManage, tenant: tenant, domain: target, in: tx)
            // Otherwise somebody could gain rights over a domain by moving it to where they have more.
            try refuseGain(
                of: principal, from: GrantPlace(domain: id), to: GrantPlace(domain: target), tenant: tenant, in: tx)
            let line = try ancestors(of: target, tenant: tenant, in: tx)
            guard !line.contains(id) else {
                throw Refusal(.conflict, "domain.cycle", "A domain can not be moved below itself.")
            }
            guard try line.count + height(of: id, in: tx) <= AccessLimits.domainDepth else {
                throw Refusal(.tooLarge, "domain.depth", "A tree has at most \(AccessLimits.domainDepth) levels.")
            }
            above = target
        }
        let newName = name?.text ?? old.name
        if above != old.parent || newName != old.name {
            try refuseSibling(newName, below: above, except: id, in: tx)
        }
        try tx.execute(
            "UPDATE domain SET name = $3, parent = $4 WHERE tenant = $1 AND id = $2", id, newName, above)
        if above != old.parent { try domainChanges.tell(id, .moved, of: tenant, in: tx) }
        if isMove, let origin = old.parent, let above, above != origin {
            try noteMove(of: .domain(id), from: origin, to: above, tenant: tenant, by: principal, in: tx)
        }
        try record(
            .domainChanged, tenant, by: principal, "domain", id.text, domain: id,
            details: [
                "name": .string(newName), "from": old.parent.map { .string($0.text) } ?? .null,
                "to": above.map { .string($0.text) } ?? .null,
            ], in: tx)
        return Domain(id: id, parent: above, name: newName, created: old.created)
    }

    /// Deletes an empty domain; its grants and shares end with it. `isUsed` asks the parts that keep things in domains.
    public func deleteDomain(
        _ text: String, tenant: TenantID, by principal: Principal,
        isUsed: @escaping @Sendable (DomainID, Transaction) throws -> Bool
    ) async throws {
        try await database.tenant(tenant).write { tx in
            let id = try self.domain(text, tenant: tenant, in: tx)
            try authorize(principal, .domainManage, tenant: tenant, domain: id, in: tx)
            let domain = try found(id, in: tx)
            let hasChildren = try tx.row("SELECT 1 FROM domain WHERE tenant = $1 AND parent = $2 LIMIT 1", id) != nil
            guard domain.parent != nil, !hasChildren, try !isUsed(id, tx) else {
                throw Refusal(
                    .conflict, "domain.used",
                    "Only a domain without devices and domains can be deleted, and never the root.")
            }
            try tx.execute("DELETE FROM role_grant WHERE tenant = $1 AND domain = $2", id)
            try endShares("domain", id, tenant: tenant, by: principal, in: tx)
            try tx.execute("DELETE FROM domain WHERE tenant = $1 AND id = $2", id)
            try domainChanges.tell(id, .deleted, of: tenant, in: tx)
            rightsChanged(tenant, in: tx)
            try record(
                .domainDeleted, tenant, by: principal, "domain", id.text, details: ["name": .string(domain.name)],
                in: tx)
        }
    }

    /// The domain that `text` names: an identifier, a path of names below the root such as `plant/hall-2`, or the root
    /// when nil or empty. Whether the caller may see it is not asked here.
    public func domain(_ text: String?, tenant: TenantID, in tx: Transaction) throws -> DomainID {
        let root = try rootDomain(of: tenant, in: tx)
        guard let text, !text.isEmpty, text != "/" else { return root }
        let scoped = tx.scoped(to: tenant)
        if let id = DomainID(text: text) {
            guard try scoped.row("SELECT 1 FROM domain WHERE tenant = $1 AND id = $2", id) != nil else {
                throw Self.unknown("domain")
            }
            return id
        }
        var current = root
        let names = text.split(separator: "/", maxSplits: AccessLimits.domainDepth)
        guard names.count <= AccessLimits.domainDepth else { throw Self.unknown("domain") }
        for name in names {
            guard
                let row = try scoped.row(
                    "SELECT id FROM domain WHERE tenant = $1 AND parent = $2 AND name = $3", current, String(name))
            else { throw Self.unknown("domain") }
            current = try row.identifier(0)
        }
        return current
    }

    func rootDomain(of tenant: TenantID, in tx: Transaction) throws -> DomainID {
        if let known = directory.tenant(tenant)?.rootDomain { return known }
        guard
            let row = try tx.scoped(to: tenant).row(
                "SELECT id FROM domain WHERE tenant = $1 AND parent IS NULL")
        else { throw Self.notHere }
        return try row.identifier(0)
    }

    /// The domain and all above it, up to the root.
    func ancestors(of domain: DomainID, tenant: TenantID, in tx: Transaction) throws -> [DomainID] {
        try tx.scoped(to: tenant).rows(
            """
            WITH RECURSIVE line (id, parent) AS (
                SELECT id, parent FROM domain WHERE tenant = $1 AND id = $2
                UNION
                SELECT d.id, d.parent FROM domain d JOIN line l ON d.id = l.parent WHERE d.tenant = $1
            )
            SELECT id FROM line
            """, domain
        ).map { try $0.identifier(0) }
    }

    /// The levels from a domain down to its deepest descendant, itself included.
    private func height(of domain: DomainID, in tx: Transaction) throws -> Int {
        try tx.row(
            """
            WITH RECURSIVE below (id, level) AS (
                SELECT id, 1 FROM domain WHERE tenant = $1 AND id = $2
                UNION ALL
                SELECT d.id, b.level + 1 FROM domain d JOIN below b ON d.parent = b.id WHERE d.tenant = $1
            )
            SELECT MAX(level) FROM below
            """, domain)?.int(0) ?? 1
    }

    private func refuseSibling(_ name: String, below parent: DomainID?, except: DomainID? = nil, in tx: Transaction)
        throws
    {
        guard let parent,
            let row = try tx.row("SELECT id FROM domain WHERE tenant = $1 AND parent = $2 AND name = $3", parent, name),
            try row.identifier(0) != except
        else { return }
        throw Refusal(.conflict, "domain.exists", "There is a domain \(name) at this place already.")
    }

    private func found(_ id: DomainID, in tx: Transaction) throws -> Domain {
        guard
            let row = try tx.row("SELECT id, parent, name, created FROM domain WHERE tenant = $1 AND id = $2", id)
        else { throw Self.unknown("domain") }
        return try Self.read(row)
    }

    private static func read(_ row: Row) throws -> Domain {
        Domain(
            id: try row.identifier(0), parent: try row.identifierIfAny(1), name: try row.text(2),
            created: try row.timestamp(3))
    }
}
