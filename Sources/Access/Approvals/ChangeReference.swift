package import Base
package import Storage

/// What a member of a proposed change names. While the change waits it is kept by identifier, so that nothing else is
/// meant that gets the name meanwhile.
package indirect enum ChangeReference: Sendable {
    /// A principal of the tenant.
    case principal
    /// A user group.
    case group
    /// A role; those of the program keep their names, which nobody can change.
    case role
    /// A domain, by path or identifier.
    case domain
    /// A device.
    case device
    /// A grant, by its identifier.
    case grant
    /// Another tenant, by its slug or identifier.
    case tenant
    /// A thing of this name that is changed, or made when there is none: the identifier of the present one is kept
    /// beside the name, and when it is another one at the end, nothing is made.
    case thing(@Sendable (String, TenantID, Transaction) throws -> String?)
    /// A list of objects with such members.
    case each([String: ChangeReference])
}

extension Access {
    /// The member in which the identifier stands of what a change of a name would change.
    package static let thingMember = "id"

    /// The change with identifiers in the place of names.
    func fixed(
        _ change: JSONValue, _ references: [String: ChangeReference], tenant: TenantID, in tx: Transaction
    ) throws -> JSONValue {
        guard case .object(var members) = change else { return change }
        for (member, reference) in references {
            switch reference {
            case .each(let inner):
                guard case .array(let items)? = members[member] else { continue }
                members[member] = .array(try items.map { try fixed($0, inner, tenant: tenant, in: tx) })
            case .thing(let find):
                guard let name = members[member]?.string else { continue }
                members[Self.thingMember] = try find(name, tenant, tx).map { .string($0) } ?? .null
            default:
                guard let text = members[member]?.string else { continue }
                members[member] = .string(try identifier(of: text, reference, tenant: tenant, in: tx))
            }
        }
        // What is said to be nowhere is at the root.
        if case .domain? = references["domain"], case .device? = references["device"], members["domain"]?.string == nil,
            members["device"]?.string == nil
        {
            members["domain"] = .string(try rootDomain(of: tenant, in: tx).text)
        }
        return .object(members)
    }

    private func identifier(
        of text: String, _ reference: ChangeReference, tenant: TenantID, in tx: Transaction
    ) throws -> String {
        switch reference {
        case .principal: return try findPrincipal(text, in: tx).id.text
        case .group: return try findGroup(text, in: tx).id.text
        case .role:
            let role = try role(text, tenant: tenant, in: tx)
            return role.isBuiltIn ? role.name.text : role.id.text
        case .domain: return try domain(text, tenant: tenant, in: tx).text
        case .device:
            guard let device = try locate(text, tx.scoped(to: tenant))?.device else { throw Self.unknown("device") }
            return device.text
        case .tenant:
            guard let found = try self.tenant(text, in: tx) else { throw Self.unknown("tenant") }
            return found.id.text
        case .grant, .thing, .each: return text
        }
    }

    /// Something that a change names: by which member, how it is written, and of a thing that has a name and may not be
    /// there which one it was.
    typealias Mention = (member: String, reference: ChangeReference, text: String, thing: String?)

    /// Each thing that a change names, in the order of the members' names.
    func mentions(in change: JSONValue, _ references: [String: ChangeReference]) -> [Mention] {
        var mentions: [Mention] = []
        for (member, reference) in references.sorted(by: { $0.key < $1.key }) {
            if case .each(let inner) = reference {
                guard case .array(let items)? = change[member] else { continue }
                mentions += items.flatMap { self.mentions(in: $0, inner) }
            } else if let text = change[member]?.string {
                mentions.append((member, reference, text, change[Self.thingMember]?.string))
            }
        }
        return mentions
    }

    /// What the identifiers of a change are called at this moment, and the members whose things are no more.
    func names(
        in change: JSONValue, _ references: [String: ChangeReference], tenant: TenantID, in tx: Transaction
    ) throws -> (names: [String: String], gone: [String]) {
        var (names, gone): ([String: String], [String]) = ([:], [])
        for mention in mentions(in: change, references) {
            if case .thing(let find) = mention.reference {
                if try find(mention.text, tenant, tx) != mention.thing { gone.append(mention.member) }
            } else if names[mention.text] == nil {
                names[mention.text] = try name(of: mention.text, mention.reference, tenant: tenant, in: tx)
                if names[mention.text] == nil { gone.append(mention.member) }
            }
        }
        return (names, gone)
    }

    /// What is called by this identifier alone; a thing whose name is written like it is not meant.
    private func name(
        of text: String, _ reference: ChangeReference, tenant: TenantID, in tx: Transaction
    ) throws -> String? {
        let scoped = tx.scoped(to: tenant)
        switch reference {
        case .principal:
            return try PrincipalID(text: text).flatMap {
                try scoped.row("SELECT name FROM principal WHERE tenant = $1 AND id = $2", $0)?.text(0)
            }
        case .group:
            return try UserGroupID(text: text).flatMap {
                try scoped.row("SELECT name FROM user_group WHERE tenant = $1 AND id = $2", $0)?.text(0)
            }
        case .role:
            if Role.builtIn.contains(where: { $0.name.text == text }) { return text }
            return try RoleID(text: text).flatMap { try findRole($0, tenant: tenant, in: tx) }?.name.text
        case .domain: return try DomainID(text: text).flatMap { try path(of: $0, tenant: tenant, in: tx) }
        case .device: return try DeviceID(text: text).flatMap { try deviceName($0, scoped) }
        case .tenant:
            return try TenantID(text: text).flatMap { try TenantRow.find($0, in: tx.acrossTenants) }?.slug.text
        case .grant:
            guard let grant = try GrantID(text: text).flatMap({ try findGrant($0, in: scoped) }) else { return nil }
            return try words(grant, tenant: tenant, in: tx)
        case .thing, .each: return nil
        }
    }

    /// A grant in words: the role, whose it is and where.
    func words(_ grant: Grant, tenant: TenantID, in tx: Transaction) throws -> String {
        let gone = "what is no more"
        func told(_ text: String?, _ reference: ChangeReference) throws -> String {
            try text.flatMap { try name(of: $0, reference, tenant: tenant, in: tx) } ?? gone
        }
        let holder =
            switch grant.holder {
            case .principal(let id): try told(id.text, .principal)
            case .group(let id): try told(id.text, .group)
            }
        let role = try findRole(grant.role, tenant: tenant, in: tx)?.name.text ?? gone
        let place = try grant.device.map { try told($0.text, .device) } ?? told(grant.domain?.text, .domain)
        return "\(role) for \(holder) at \(place)" + (grant.expires.map { " until \($0.rfc3339)" } ?? "")
    }

    /// The names from below the root to a domain, joined by slashes; `/` is the root. Nil when it is no more.
    private func path(of domain: DomainID, tenant: TenantID, in tx: Transaction) throws -> String? {
        var (names, next): ([String], DomainID?) = ([], domain)
        while let current = next, names.count <= AccessLimits.domainDepth {
            guard
                let row = try tx.scoped(to: tenant).row(
                    "SELECT name, parent FROM domain WHERE tenant = $1 AND id = $2", current)
            else { return nil }
            next = try row.identifierIfAny(1)
            if next != nil { names.append(try row.text(0)) }
        }
        return names.isEmpty ? "/" : names.reversed().joined(separator: "/")
    }

    /// The tenant of a slug or identifier.
    func tenant(_ text: String, in tx: Transaction) throws -> Tenant? {
        if let id = TenantID(text: text), let found = try TenantRow.find(id, in: tx.acrossTenants) { return found }
        return try TenantSlug(text).flatMap { try TenantRow.find($0, in: tx.acrossTenants) }
    }
}
