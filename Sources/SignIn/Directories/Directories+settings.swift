public import Access
import Audit
public import Base
import Storage
import Trust

extension Directories {
    /// The directories of a tenant, by name.
    public func directories(of tenant: TenantID, by principal: Principal) async throws -> [Directory] {
        try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            return try DirectoryRow.all(of: tenant, in: tx)
        }
    }

    /// The directory of a name or identifier.
    public func directory(_ text: String, of tenant: TenantID, by principal: Principal) async throws -> Directory {
        let all = try await directories(of: tenant, by: principal)
        guard let found = all.first(where: { $0.id.text == text || $0.name.text == text }) else {
            throw Access.unknown("directory")
        }
        return found
    }

    /// Whom a directory knows, by their identifiers, and since when; those after `last`, `limit` at most.
    public func people(
        of directory: Directory, after last: PrincipalID? = nil, limit: Int, by principal: Principal
    ) async throws -> [(principal: PrincipalID, since: Timestamp)] {
        let tenant = directory.tenant
        return try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            return try tx.scoped(to: tenant).rows(
                """
                SELECT principal, min(made) FROM directory_identity WHERE tenant = $1 AND directory = $2
                GROUP BY principal HAVING principal > $3 ORDER BY principal LIMIT $4
                """, directory.id, last ?? PrincipalID(high: 0, low: 0), limit
            ).map { (try $0.identifier(0), try $0.timestamp(1)) }
        }
    }

    /// How many people a directory knows, and how many roles it gives them just now.
    public func counts(of directory: Directory, by principal: Principal) async throws -> (people: Int, roles: Int) {
        let tenant = directory.tenant
        return try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            let row = try tx.scoped(to: tenant).row(
                """
                SELECT (SELECT count(DISTINCT principal) FROM directory_identity WHERE tenant = $1 AND directory = $2),
                    (SELECT count(*) FROM directory_grant WHERE tenant = $1 AND directory = $2)
                """, directory.id)
            return (try row?.int(0) ?? 0, try row?.int(1) ?? 0)
        }
    }

    /// Makes a directory, or changes the one of this name.
    ///
    /// Who does it must hold all that the groups give, and manage principals: from then on the directory gives it. One
    /// that is taken for the holders of accounts can give whatever any of them holds.
    public func put(
        _ name: Name, _ draft: DirectoryDraft, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Directory {
        try await database.tenant(tenant).write { tx in
            try put(name, draft, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    func put(
        _ name: Name, _ draft: DirectoryDraft, authority: Authority, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws -> Directory {
        try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
        try access.requireOwn(principal, of: tenant)
        try Self.check(draft)
        let known = try DirectoryRow.find(name, of: tenant, in: tx)
        if known == nil {
            let count = try tx.row("SELECT count(*) FROM directory WHERE tenant = $1")?.int(0) ?? 0
            guard count < DirectoryLimits.directories else {
                throw Refusal(
                    .limited, "directory.tooMany", "A tenant has at most \(DirectoryLimits.directories) directories.")
            }
        }
        if let known, Self.isAnother(draft.means, than: known.means) {
            throw Refusal(
                .conflict, "directory.another",
                "Another provider or server knows other people: remove this directory and make one anew.")
        }
        let directory = Directory(
            id: known?.id ?? DirectoryID(now: clock.now), tenant: tenant, name: name, isEnabled: draft.isEnabled,
            createsAccounts: draft.createsAccounts, linksAddresses: draft.linksAddresses, groups: draft.groups,
            means: draft.means)
        let isAdministrative = try requireHolding(directory, known, principal, in: tx)
        try accounts.requireRecent(principal, for: .signInPolicy, in: tx)
        // A new secret gives nobody anything, and does not wait among changes where people could read it.
        if isAdministrative, directory != known {
            try access.require(authority, of: .directoryPut, tenant: tenant, by: principal, in: tx)
        }
        try DirectoryRow.put(directory, in: tx)
        if let secret = draft.secret {
            let sealed = try keyRing.seal(
                Array(secret.utf8), at: DirectorySchema.secretColumn.place(tenant, row: directory.id), in: tx)
            try tx.execute("UPDATE directory SET secret = $3 WHERE tenant = $1 AND id = $2", directory.id, sealed)
        }
        try access.record(
            .directoryChanged, tenant, by: principal, "directory", directory.id.text,
            details: authority.told([
                "name": .string(name.text), "enabled": .bool(directory.isEnabled),
                "creates": .bool(directory.createsAccounts), "links": .bool(directory.linksAddresses),
                "at": .string(Self.place(directory.means)),
                "groups": .array(
                    directory.groups.map { .string("\($0.group): \($0.role) at \($0.domain ?? "/")") }),
                "secret": .bool(draft.secret != nil),
            ]), in: tx)
        return directory
    }

    /// Refuses who does not hold what the directory gives and gave; says whether that is more than daily work.
    private func requireHolding(
        _ directory: Directory, _ known: Directory?, _ principal: Principal, in tx: Transaction
    ) throws -> Bool {
        let tenant = directory.tenant
        let links = directory.linksAddresses || known?.linksAddresses == true
        if links { try access.requireHolding(Role.owner.permissions, principal, tenant: tenant, in: tx) }
        var isAdministrative = links
        func require(_ rule: GroupRule) throws {
            let place = try access.domain(rule.domain, tenant: tenant, in: tx)
            let role = try access.role(rule.role, tenant: tenant, in: tx)
            try access.requireHolding(
                role.permissions.union([.principalManage]), principal, tenant: tenant, at: GrantPlace(domain: place),
                in: tx)
            isAdministrative = isAdministrative || role.isAdministrative
        }
        for rule in directory.groups {
            try require(rule)
            // One from before is worth nothing, and hinders nobody from switching the directory off.
            guard try access.role(rule.role, tenant: tenant, in: tx) != .guest || known?.groups.contains(rule) == true
            else {
                throw Refusal(
                    .invalid, "directory.guest",
                    "A guest's role needs an end, and a directory gives roles without one: let the group be viewers.",
                    faults: [.init(place: "/groups", message: "must not give the role guest")])
            }
        }
        for rule in known?.groups ?? [] where !directory.groups.contains(rule) {
            // A rule whose role or domain is gone gives nothing any longer.
            do { try require(rule) } catch let refusal as Refusal where refusal.code != "access.beyondOwn" {}
        }
        return isAdministrative
    }

    /// Lets directories be proposed as changes.
    func addApprovals() {
        let known = ChangeReference.thing { name, tenant, tx in
            try Name(name).flatMap { try DirectoryRow.find($0, of: tenant, in: tx) }?.id.text
        }
        access.approvals.add(
            .directoryPut, naming: ["name": known, "groups": .each(["role": .role, "domain": .domain])],
            present: { change, tenant, tx in
                guard let name = change["name"]?.string.flatMap({ Name($0) }),
                    let found = try DirectoryRow.find(name, of: tenant, in: tx)
                else { return [:] }
                return DirectoryDraft(found).change(name)
            }
        ) { [self] change, authority, tenant, principal, tx in
            guard let name = change["name"]?.string.flatMap({ Name($0) }) else { throw Access.unreadable("name") }
            _ = try put(
                name, DirectoryDraft(change: change), authority: authority, tenant: tenant, by: principal, in: tx)
        }
    }

    /// Removes a directory with the roles that it gave; the accounts stay. Only for who holds what it gave.
    public func remove(
        _ name: Name, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            try access.requireOwn(principal, of: tenant)
            guard let directory = try DirectoryRow.find(name, of: tenant, in: tx) else {
                throw Access.unknown("directory")
            }
            try accounts.requireRecent(principal, for: .signInPolicy, in: tx)
            let without = Directory(
                id: directory.id, tenant: tenant, name: name, isEnabled: false, createsAccounts: false,
                linksAddresses: false, groups: [], means: directory.means)
            _ = try requireHolding(without, directory, principal, in: tx)
            let rows = try tx.rows(
                "SELECT grant_id, principal FROM directory_grant WHERE tenant = $1 AND directory = $2", directory.id)
            for row in rows {
                try access.takeGrant(row.identifier(0), of: row.identifier(1), tenant: tenant, in: tx)
            }
            for table in ["directory_grant", "directory_identity"] {
                try tx.execute("DELETE FROM \(table) WHERE tenant = $1 AND directory = $2", directory.id)
            }
            try tx.execute("DELETE FROM directory WHERE tenant = $1 AND id = $2", directory.id)
            try access.record(
                .directoryRemoved, tenant, by: principal, "directory", directory.id.text,
                details: Authority.own(reason: reason).told([
                    "name": .string(name.text), "grants": .integer(Int64(rows.count)),
                ]), in: tx)
        }
    }

    private static func place(_ means: Directory.Means) -> String {
        switch means {
        case .openID(let openID): openID.issuer
        case .ldap(let ldap): ldap.server
        }
    }

    /// Whether the people of one are not those of the other: a name there would suddenly mean somebody else.
    private static func isAnother(_ means: Directory.Means, than known: Directory.Means) -> Bool {
        switch (means, known) {
        case (.openID(let new), .openID(let old)): new.issuer != old.issuer
        case (.ldap(let new), .ldap(let old)): new.server != old.server || new.base != old.base
        default: true
        }
    }

    private static func check(_ draft: DirectoryDraft) throws {
        var faults: [Refusal.Fault] = []
        func check(_ isRight: Bool, _ place: String, _ message: String) {
            if !isRight { faults.append(.init(place: place, message: message)) }
        }
        func text(_ text: String?, _ place: String, most: Int = DirectoryLimits.textBytes) {
            guard let text else { return }
            check(
                !text.isEmpty && text.utf8.count <= most && !text.utf8.contains(0), place,
                "must be 1 to \(most) bytes")
        }
        switch draft.means {
        case .openID(let openID):
            check(Provider.isAddress(openID.issuer), "/issuer", "must be an https address without query and fragment")
            text(openID.client, "/client")
            text(openID.groupsClaim, "/groupsClaim")
            text(openID.scope, "/scope")
            check(openID.scope.split(separator: " ").contains("openid"), "/scope", "must contain openid")
            text(openID.authorities, "/authorities", most: DirectoryLimits.authorityBytes)
        case .ldap(let ldap):
            check(LDAPAddress(ldap.server) != nil, "/server", "must be ldaps://host or ldap://host, with StartTLS")
            text(ldap.base, "/base")
            text(ldap.searcher, "/searcher")
            check(
                LDAPFilter.isTemplate(ldap.filter, needing: "user"), "/filter",
                "must be a filter with {user}, such as (uid={user})")
            if let filter = ldap.groupFilter {
                check(
                    LDAPFilter.isTemplate(filter, needing: "dn") || LDAPFilter.isTemplate(filter, needing: "user"),
                    "/groupFilter", "must be a filter with {dn} or {user}, such as (member={dn})")
            }
            for (place, attribute) in [
                ("/nameAttribute", ldap.nameAttribute), ("/mailAttribute", ldap.mailAttribute),
                ("/groupAttribute", ldap.groupAttribute),
            ] {
                check(
                    (1...100).contains(attribute.utf8.count)
                        && attribute.utf8.allSatisfy { byte in
                            byte == UInt8(ascii: "-") || byte == UInt8(ascii: ";")
                                || Character(Unicode.Scalar(byte)).isASCII
                                    && (Character(Unicode.Scalar(byte)).isLetter
                                        || Character(Unicode.Scalar(byte)).isNumber)
                        }, place, "must be an attribute's name")
            }
            text(ldap.authorities, "/authorities", most: DirectoryLimits.authorityBytes)
        }
        text(draft.secret, "/secret")
        check(draft.groups.count <= DirectoryLimits.rules, "/groups", "are too many")
        for (index, rule) in draft.groups.enumerated() { text(rule.group, "/groups/\(index)/group") }
        guard faults.isEmpty else {
            throw Refusal(.invalid, "directory.invalid", "The directory can not be asked so.", faults: faults)
        }
    }
}
