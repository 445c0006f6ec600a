import Access
import Audit
import Base
import Storage

/// Somebody for whom a directory vouches.
struct VouchedPerson: Sendable {
    /// The directory's own name for them, which never becomes another's.
    let subject: String
    /// Their mail address, when the directory vouches for that, too.
    let address: MailAddress?
    /// Their name.
    let name: String?
    /// Their groups.
    let groups: Set<String>
}

extension Directories {
    /// Goes on with the sign-in of somebody for whom a directory vouches: finds or makes their account, gives what their
    /// groups are worth, and asks for whatever else the account needs.
    func admit(_ person: VouchedPerson, by directory: Directory, from origin: Origin) async throws -> Step {
        let step = try await database.platform.write { tx -> Step? in
            // A directory that was switched off meanwhile vouches for nobody.
            guard let directory = try DirectoryRow.find(directory.id, of: directory.tenant, in: tx),
                directory.isEnabled, Realm(of: directory.tenant) == origin.realm,
                accounts.liveTenant(directory.tenant) != nil
            else { return nil }
            let roles = try self.roles(of: person, by: directory, in: tx)
            guard let account = try findAccount(of: person, by: directory, roles, in: tx) else {
                try refuse(person, directory, origin, "no account", in: tx)
                return nil
            }
            try give(roles, to: account.principal, by: directory, in: tx)
            let policy = try accounts.policy(of: account.tenant, in: tx)
            guard account.status == .active, AddressRanges.admit(origin.address, policy.addressRanges),
                AddressRanges.admit(origin.address, account.addressRanges)
            else {
                try refuse(person, directory, origin, "disabled, or not from here", in: tx)
                return nil
            }
            return try accounts.next(account, satisfied: [], pending: nil, from: origin, in: tx)
        }
        guard let step else { throw Self.refused }
        return step
    }

    /// A role at a domain that a group gives.
    private struct GivenRole: Hashable {
        let role: RoleID
        let domain: DomainID
    }

    /// What the person's groups are worth now; a rule whose role or domain is gone is worth nothing, and so is one that
    /// would give a guest's role without an end.
    private func roles(of person: VouchedPerson, by directory: Directory, in tx: Transaction) throws -> [GivenRole:
        Role]
    {
        var found: [GivenRole: Role] = [:]
        for rule in directory.groups where person.groups.contains(where: { $0.hasSameBytes(as: rule.group) }) {
            do {
                let role = try access.role(rule.role, tenant: directory.tenant, in: tx)
                if role == .guest { continue }
                let domain = try access.domain(rule.domain, tenant: directory.tenant, in: tx)
                found[GivenRole(role: role.id, domain: domain)] = role
            } catch let refusal as Refusal where refusal.kind == .notFound || refusal.code == "role.unknown" {
                continue
            }
        }
        return found
    }

    private func findAccount(
        of person: VouchedPerson, by directory: Directory, _ roles: [GivenRole: Role], in tx: Transaction
    ) throws -> Account? {
        let scoped = tx.scoped(to: directory.tenant)
        let known = try scoped.row(
            "SELECT principal FROM directory_identity WHERE tenant = $1 AND directory = $2 AND subject = $3",
            directory.id, person.subject)
        if let known { return try AccountRow.find(known.identifier(0), tenant: directory.tenant, in: tx)?.account }
        // Somebody new is known by an address for which the directory vouches, or not at all.
        guard let address = person.address else { return nil }
        let account: Account
        if let found = try AccountRow.find(address.text, tenant: directory.tenant, in: tx)?.account {
            // Whoever can choose an address in the directory must not thereby take over an account.
            guard directory.linksAddresses else { return nil }
            if found.status == .invited { try AccountRow.activate(found, in: tx) }
            account = try AccountRow.find(found.principal, tenant: directory.tenant, in: tx)?.account ?? found
        } else {
            guard directory.createsAccounts, let first = roles.min(by: { $0.key.domain < $1.key.domain }) else {
                return nil
            }
            let name = (try? Access.displayName(person.name ?? "", at: "/name")) ?? String(address.local)
            account = try accounts.makeAccount(
                address, name: name, status: .active, role: first.value, at: first.key.domain, until: nil,
                tenant: directory.tenant, by: .acting(as: "directory"), in: tx)
            // The role with which the account was made is the directory's to take away again.
            let grant = try scoped.row(
                "SELECT id FROM role_grant WHERE tenant = $1 AND holder = $2", account.principal)
            if let grant { try note(first.key, grant.identifier(0), account.principal, directory, in: tx) }
        }
        try scoped.execute(
            """
            INSERT INTO directory_identity (tenant, directory, subject, principal, made) VALUES ($1, $2, $3, $4, $5)
            """, directory.id, person.subject, account.principal, clock.now)
        try audit.record(
            AuditEntry(
                .directoryLinked, tenant: directory.tenant, actor: .system("directory"),
                object: AuditObject(kind: "account", id: account.principal.text),
                details: [
                    "directory": .string(directory.name.text), "subject": .string(person.subject),
                    "address": .string(address.text),
                ]), in: tx)
        return account
    }

    private func note(
        _ given: GivenRole, _ grant: GrantID, _ principal: PrincipalID, _ directory: Directory, in tx: Transaction
    ) throws {
        try tx.scoped(to: directory.tenant).execute(
            """
            INSERT INTO directory_grant (tenant, directory, principal, role, domain, grant_id)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (tenant, directory, principal, role, domain) DO UPDATE SET grant_id = excluded.grant_id
            """, directory.id, principal, given.role, given.domain, grant)
    }

    /// Gives and takes roles so that those from this directory are exactly what the groups are worth now. What
    /// administrators gave by hand is left alone.
    private func give(
        _ roles: [GivenRole: Role], to principal: PrincipalID, by directory: Directory, in tx: Transaction
    ) throws {
        let scoped = tx.scoped(to: directory.tenant)
        var held: Set<GivenRole> = []
        var changes: [JSONValue] = []
        let rows = try scoped.rows(
            """
            SELECT d.role, d.domain, d.grant_id, g.id FROM directory_grant d
            LEFT JOIN role_grant g ON g.tenant = $1 AND g.id = d.grant_id
            WHERE d.tenant = $1 AND d.directory = $2 AND d.principal = $3
            """, directory.id, principal)
        for row in rows {
            let given = GivenRole(role: try row.identifier(0), domain: try row.identifier(1))
            // One that an administrator took away by hand stays away until the groups change.
            held.insert(given)
            guard roles[given] == nil else { continue }
            try access.takeGrant(row.identifier(2), of: principal, tenant: directory.tenant, in: tx)
            try scoped.execute(
                """
                DELETE FROM directory_grant
                WHERE tenant = $1 AND directory = $2 AND principal = $3 AND role = $4 AND domain = $5
                """, directory.id, principal, given.role, given.domain)
            changes.append(.string("-\(given.role.text) at \(given.domain.text)"))
        }
        for (given, role) in roles.sorted(by: { $0.value.name < $1.value.name }) where !held.contains(given) {
            let grant = try access.makeGrant(
                role, to: principal, at: given.domain, expires: nil, tenant: directory.tenant,
                by: .acting(as: "directory"), in: tx)
            try note(given, grant.id, principal, directory, in: tx)
            changes.append(.string("+\(role.name.text) at \(given.domain.text)"))
        }
        guard !changes.isEmpty else { return }
        try audit.record(
            AuditEntry(
                .directoryGroups, tenant: directory.tenant, actor: .system("directory"),
                object: AuditObject(kind: "principal", id: principal.text),
                details: ["directory": .string(directory.name.text), "changes": .array(changes)]), in: tx)
    }

    private func refuse(
        _ person: VouchedPerson, _ directory: Directory, _ origin: Origin, _ why: String, in tx: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                .directoryRefused, tenant: directory.tenant, actor: .unknown(address: origin.address),
                object: AuditObject(kind: "directory", id: directory.id.text), outcome: .denied,
                details: [
                    "subject": .string(person.subject), "why": .string(why),
                    "address": person.address.map { .string($0.text) } ?? .null,
                ]), in: tx)
    }

    /// Counts a refusal before anybody was vouched for.
    func noteFailure(_ directory: Directory?, _ origin: Origin, _ code: String) {
        audit.refuse(source: origin.address ?? "local", code: "signin." + code, tenant: directory?.tenant)
    }
}
