public import Access
import Audit
public import Base
import Storage
import Synchronization
import Trust

/// What a test of a directory has found.
public struct DirectoryTest: Sendable, Hashable {
    /// Whether people could sign in by it, as far as that shows without one of them.
    public let works: Bool
    /// What was found, step by step; the last is what is wrong, if anything is.
    public let findings: [String]
    /// The groups of the person who was looked for, as the directory writes them.
    public let groups: [String]
}

/// The tenants whose directories are being tested: one test of a tenant at a time, as tests take up threads.
final class TestsUnderWay: Sendable {
    private let tenants = Mutex<Set<TenantID>>([])

    func begin(_ tenant: TenantID) throws {
        guard tenants.withLock({ $0.insert(tenant).inserted }) else {
            throw Refusal(.limited, "directory.testing", "Another test is under way. Try again when it has ended.")
        }
    }

    func end(_ tenant: TenantID) { _ = tenants.withLock { $0.remove(tenant) } }
}

extension Directories {
    /// Asks a directory what can be asked without anybody signing in: whether it answers, is who it should be and knows
    /// this server; of an LDAP server also whether `user` is found, and their groups.
    public func test(
        _ name: Name, user: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> DirectoryTest {
        if let user, !(1...DirectoryLimits.typedBytes).contains(user.utf8.count) || user.utf8.contains(0) {
            throw Refusal(
                .invalid, "directory.user", "This can not be a user name.",
                faults: [.init(place: "/user", message: "must be 1 to \(DirectoryLimits.typedBytes) bytes")])
        }
        let (directory, secret) = try await database.tenant(tenant).write { tx in
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            guard let directory = try DirectoryRow.find(name, of: tenant, in: tx) else {
                throw Access.unknown("directory")
            }
            try access.record(
                .directoryTested, tenant, by: principal, "directory", directory.id.text,
                details: ["name": .string(name.text), "user": user.map { .string($0) } ?? .null], in: tx)
            return (directory, try self.secret(of: directory, in: tx))
        }
        try tests.begin(tenant)
        defer { tests.end(tenant) }
        switch directory.means {
        case .ldap(let settings):
            return try await threads.run { [permits] in Self.look(settings, secret, user, permits: permits) }
        case .openID(let settings):
            return try await look(settings, secret, at: returnAddress(of: tenant))
        }
    }

    /// The address to which a tenant's providers send browsers back; each provider must know it.
    public func returnAddress(of tenant: TenantID) -> String { accounts.place(Realm(of: tenant)) + Self.returnPath }

    // MARK: - LDAP

    private static func look(
        _ settings: LDAPSettings, _ secret: String?, _ user: String?, permits: (NetworkAddress) -> Bool
    ) -> DirectoryTest {
        var findings: [String] = []
        do {
            guard let address = LDAPAddress(settings.server) else {
                throw LDAPConnection.Failure(words: "\(settings.server) is no address")
            }
            let connection = try LDAPConnection(address, authorities: settings.authorities, permits: permits)
            findings.append("The server answers, with TLS and a certificate that is right.")
            try search(as: settings, secret, connection)
            findings.append(
                settings.searcher == nil
                    ? "It lets nobody in particular search." : "The searcher's name and password are right.")
            let people = try connection.search(settings.base, "(objectClass=*)", attributes: ["cn"], most: 1)
            guard !people.isEmpty else {
                throw LDAPConnection.Failure(
                    words: "nothing is found below \(settings.base), or the searcher may not see it")
            }
            findings.append("There is something below \(settings.base).")
            guard let user else { return DirectoryTest(works: true, findings: findings, groups: []) }
            return try look(for: user, settings, connection, after: findings)
        } catch {
            let words = (error as? LDAPConnection.Failure)?.words ?? "\(error)"
            return DirectoryTest(works: false, findings: findings + [sentence(words)], groups: [])
        }
    }

    private static func look(
        for user: String, _ settings: LDAPSettings, _ connection: LDAPConnection, after findings: [String]
    ) throws -> DirectoryTest {
        let filter = LDAPFilter.filled(settings.filter, ["user": user])
        let attributes =
            [settings.nameAttribute, settings.mailAttribute, settings.groupAttribute] + LDAPConnection.Entry.subjects
        let found = try connection.search(settings.base, filter, attributes: attributes, most: 2)
        guard found.count == 1 else {
            throw LDAPConnection.Failure(
                words: found.isEmpty ? "\(filter) finds nobody" : "\(filter) finds more than one, which is nobody")
        }
        let person = found[0]
        guard person.subject != nil else {
            throw LDAPConnection.Failure(words: "\(person.name) has neither entryUUID nor objectGUID")
        }
        var findings = findings + ["\(filter) finds \(person.name)."]
        findings.append(
            person.values[settings.nameAttribute]?.first.map { "Their name is \($0)." }
                ?? "They have no \(settings.nameAttribute): the address stands for the name.")
        let address = person.values[settings.mailAttribute]?.first
        findings.append(
            address.flatMap { MailAddress($0) }.map { "Their address is \($0.text)." }
                ?? "They have no address in \(settings.mailAttribute): nobody new gets an account so.")
        let groups = try groups(of: person, user, settings, connection)
        findings.append(groups.isEmpty ? "They are in no group." : "Groups: \(groups.count).")
        return DirectoryTest(works: true, findings: findings, groups: groups.sorted())
    }

    private static func sentence(_ words: String) -> String {
        words.prefix(1).uppercased() + words.dropFirst() + (words.hasSuffix(".") ? "" : ".")
    }

    // MARK: - OpenID Connect

    private func look(_ settings: OpenIDSettings, _ secret: String?, at place: String) async throws -> DirectoryTest {
        var findings: [String] = []
        do {
            let provider = try await providers.provider(settings, again: true)
            findings.append("The provider answers, and is \(settings.issuer).")
            _ = try await providers.keys(settings, provider, again: true)
            findings.append("Its keys can be read.")
            // A code that nobody gave: a provider that knows this server says so only of the code.
            let answer = try await ask(
                Self.exchange("tidegate-test", ProofKey.makeVerifier(), settings, provider, secret: secret, at: place))
            let fault = (try? Providers.json(answer.body))?["error"]?.string
            guard answer.status != 401, fault != "invalid_client", fault != "unauthorized_client" else {
                throw Providers.unreadable("it does not know \(settings.client), or the secret is wrong")
            }
            findings.append(
                fault == "invalid_grant"
                    ? "It knows \(settings.client) and the secret."
                    : "It did not say whether \(settings.client) and the secret are right (\(fault ?? "HTTP \(answer.status)"))."
            )
            return DirectoryTest(works: true, findings: findings, groups: [])
        } catch let refusal as Refusal {
            return DirectoryTest(
                works: false, findings: findings + [Self.sentence(refusal.detail ?? refusal.message)], groups: [])
        }
    }
}
