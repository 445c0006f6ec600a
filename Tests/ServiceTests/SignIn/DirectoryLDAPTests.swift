import Access
import Audit
import Base
import Foundation
import Logging
import Storage
import Testing
import Trust

@testable import SignIn

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Debian's directory server on free ports, with two persons and a group.
final class TestSlapd: Sendable {
    let port: UInt16
    let tlsPort: UInt16
    let authorities: String
    private let process: pid_t

    /// A server; one that `locks` takes nobody's password any more after five wrong ones.
    init(_ directory: String, locks: Bool = false) async throws {
        let made = try CertificateAuthorities(
            paths: AuthorityPaths(keys: directory + "/ldap-keys", trust: directory + "/ldap-trust"),
            deployment: #require(DeploymentName("fleet.example.com")),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        authorities = try made.serverAuthorityPEM
        let certificate = try made.serverCertificate(for: "ldap", names: ServerNames(["127.0.0.1"]))
        let folder = directory + "/slapd"
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        try Data(certificate.chainPEM.utf8).write(to: URL(filePath: folder + "/chain.pem"))
        try Data(certificate.keyPEM.utf8).write(to: URL(filePath: folder + "/key.pem"))
        let configuration = """
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            moduleload ppolicy
            pidfile \(folder)/slapd.pid
            TLSCertificateFile \(folder)/chain.pem
            TLSCertificateKeyFile \(folder)/key.pem
            security simple_bind=128
            database mdb
            suffix "dc=example"
            rootdn "cn=root,dc=example"
            directory \(folder)/data
            access to attrs=userPassword by anonymous auth by * none
            access to * by dn.exact="cn=reader,dc=example" read by * none
            \(locks ? "overlay ppolicy\nppolicy_default \"cn=locking,dc=example\"" : "")
            """
        let people = """
            dn: dc=example
            objectClass: dcObject
            objectClass: organization
            dc: example
            o: Example

            dn: cn=reader,dc=example
            objectClass: person
            cn: reader
            sn: reader
            userPassword: reader secret

            dn: uid=ann,dc=example
            objectClass: inetOrgPerson
            uid: ann
            cn: Ann Example
            sn: Example
            mail: ann@example.com
            userPassword: ann secret

            dn: uid=bob,dc=example
            objectClass: inetOrgPerson
            uid: bob
            cn: Bob
            sn: Bob
            userPassword: bob secret

            dn: cn=staff,dc=example
            objectClass: groupOfNames
            cn: staff
            member: uid=ann,dc=example

            \(locks ? Self.locking : "")
            """
        try Data(configuration.utf8).write(to: URL(filePath: folder + "/slapd.conf"))
        let added = try await SystemProgram.run(
            "slapadd", ["-f", folder + "/slapd.conf"], in: folder, input: people)
        #expect(added.status == 0, "\(added.output)")
        var ports = try Self.freePorts()
        var started = try await Self.start(folder, ports)
        // Another test may have been given one of them meanwhile.
        for _ in 0..<5 where started.status != 0 {
            ports = try Self.freePorts()
            started = try await Self.start(folder, ports)
        }
        #expect(started.status == 0, "\(started.output)")
        (port, tlsPort) = ports
        var text = ""
        let deadline = ContinuousClock.now + .seconds(120)
        while text.isEmpty, ContinuousClock.now < deadline {
            text = (try? String(contentsOfFile: folder + "/slapd.pid", encoding: .utf8)) ?? ""
            await Task.yield()
        }
        process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    private static let locking = """
        dn: cn=locking,dc=example
        objectClass: device
        objectClass: pwdPolicy
        cn: locking
        pwdAttribute: userPassword
        pwdLockout: TRUE
        pwdMaxFailure: 5

        """

    /// At once: it was begun by a thread that blocks the signals which end programs gently, and so it blocks them, too.
    func stop() { kill(process, SIGKILL) }

    private static func start(
        _ folder: String, _ ports: (plain: UInt16, tls: UInt16)
    ) async throws -> SystemProgram.Result {
        let addresses = "ldap://127.0.0.1:\(ports.plain) ldaps://127.0.0.1:\(ports.tls)"
        return try await SystemProgram.run("slapd", ["-f", folder + "/slapd.conf", "-h", addresses], in: folder)
    }

    private static func freePorts() throws -> (plain: UInt16, tls: UInt16) {
        // Held together, so that they differ.
        let sockets = (0..<2).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { for descriptor in sockets { close(descriptor) } }
        return (try port(of: sockets[0]), try port(of: sockets[1]))
    }

    private static func port(of descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(isBound)
        return UInt16(bigEndian: address.sin_port)
    }
}

@Suite(.enabled(if: SystemProgram.isInstalled("slapd"), "install slapd to run these tests"))
struct DirectoryLDAPTests {
    private static func with(
        _ engine: TestDatabase.Engine, permits: @escaping @Sendable (NetworkAddress) -> Bool = { _ in true },
        _ body: (SignInFixture, Directories, TestSlapd) async throws -> Void
    ) async throws {
        try await SignInFixture.with(engine) { fixture in
            try await fixture.world.database.migrate([
                TrustSchema.part, AuditSchema.part, AccessSchema.part, SignInSchema.part, FactorSchema.part,
                DirectorySchema.part,
            ])
            let slapd = try await TestSlapd(fixture.world.directory)
            defer { slapd.stop() }
            let directories = Directories(
                signIn: fixture.signIn, keyRing: fixture.world.keyRing,
                fetch: { _ in FetchAnswer(status: 404, body: []) }, permits: permits,
                pause: { _ in })
            try await body(fixture, directories, slapd)
        }
    }

    private static func draft(_ slapd: TestSlapd, _ change: (inout LDAPSettings) -> Void = { _ in }) -> DirectoryDraft {
        var settings = LDAPSettings(
            server: "ldaps://127.0.0.1:\(slapd.tlsPort)", base: "dc=example", searcher: "cn=reader,dc=example",
            groupFilter: "(&(objectClass=groupOfNames)(member={dn}))", authorities: slapd.authorities)
        change(&settings)
        var draft = DirectoryDraft(.ldap(settings), secret: "reader secret")
        draft.createsAccounts = true
        draft.groups = [GroupRule(group: "cn=staff,dc=example", role: "viewer")]
        return draft
    }

    private static func put(_ draft: DirectoryDraft, _ directories: Directories, _ fixture: SignInFixture) async throws
    {
        _ = try await directories.put(
            #require(Name("corp")), draft, tenant: fixture.world.acme.id, by: AccessFixture.local)
    }

    private static func enter(
        _ directories: Directories, _ fixture: SignInFixture, _ user: String, _ password: String
    ) async throws -> Step {
        fixture.world.time.advance(by: .seconds(3600))
        return try await directories.signIn(
            "corp", of: fixture.world.acme.slug, user: user, password: password, from: SignInFixture.office)
    }

    @Test(
        "a person of a directory signs in with the password there, by ldaps and by StartTLS", arguments: [true, false])
    func signIn(isTLS: Bool) async throws {
        try await Self.with(.sqlite) { fixture, directories, slapd in
            try await Self.put(
                Self.draft(slapd) { if !isTLS { $0.server = "ldap://127.0.0.1:\(slapd.port)" } }, directories, fixture)
            guard case .done(let secret) = try await Self.enter(directories, fixture, "ann", "ann secret") else {
                Issue.record("not signed in")
                return
            }
            let signedIn = try await fixture.signIn.session(secret.text, from: SignInFixture.office)
            #expect(signedIn.account.address.text == "ann@example.com" && signedIn.account.name == "Ann Example")
            #expect(try await fixture.world.isAllowed(signedIn.principal, .deviceRead))
            #expect(try await !fixture.world.isAllowed(signedIn.principal, .deviceManage))
        }
    }

    @Test("whatever is wrong gets the one answer", arguments: TestDatabase.engines)
    func wrong(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, directories, slapd in
            try await Self.put(Self.draft(slapd), directories, fixture)
            for (user, password) in [
                ("ann", "wrong"), ("ann", ""), ("nobody", "ann secret"), ("*", "ann secret"), ("a*", "ann secret"),
                ("ann)(|(uid=*", "ann secret"), ("", "ann secret"), ("ann\0", "ann secret"),
                (String(repeating: "a", count: 1000), "x"), ("ann", "ann secret\0"),
            ] {
                await #expect(throws: SignIn.refused, "\(user)") {
                    try await Self.enter(directories, fixture, user, password)
                }
            }
            // Known there, but without an address by which an account could be made.
            await #expect(throws: Directories.refused) {
                try await Self.enter(directories, fixture, "bob", "bob secret")
            }
            await #expect(throws: SignIn.refused) {
                try await directories.signIn(
                    "corp", of: fixture.world.rival.slug, user: "ann", password: "ann secret",
                    from: SignInFixture.office)
            }
        }
    }

    @Test("a test finds what is right and what is wrong, and signs nobody in", arguments: TestDatabase.engines)
    func test(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, directories, slapd in
            let name = try #require(Name("corp"))
            let tenant = fixture.world.acme.id
            func test(_ user: String?, _ change: (inout LDAPSettings) -> Void = { _ in }) async throws -> DirectoryTest
            {
                try? await directories.remove(name, tenant: tenant, by: AccessFixture.local)
                try await Self.put(Self.draft(slapd, change), directories, fixture)
                return try await directories.test(name, user: user, tenant: tenant, by: AccessFixture.local)
            }
            let ann = try await test("ann")
            #expect(ann.works && ann.groups == ["cn=staff,dc=example"], "\(ann)")
            #expect(ann.findings.contains("Their address is ann@example.com."))
            let bob = try await test("bob")
            #expect(bob.works && bob.groups.isEmpty && bob.findings.last == "They are in no group.", "\(bob)")
            #expect(try await test(nil).works)
            for (user, words, change) in [
                ("nobody", "finds nobody", { _ in }), ("*", "finds nobody", { _ in }),
                (nil, "searcher's name or password", { $0.searcher = "cn=nobody,dc=example" }),
                (nil, "nothing is found", { $0.base = "ou=none,dc=example" }), (nil, "TLS", { $0.authorities = nil }),
            ] as [(String?, String, (inout LDAPSettings) -> Void)] {
                let test = try await test(user, change)
                #expect(!test.works && test.findings.last?.lowercased().contains(words.lowercased()) == true, "\(test)")
            }
            try await directories.remove(name, reason: "moved", tenant: tenant, by: AccessFixture.local)
            let removed = try await fixture.world.log("directory.removed", of: tenant)
            #expect(removed.contains { $0.details["reason"] == "moved" })
            await #expect(throws: Refusal(.notFound, "directory.unknown", "")) {
                try await directories.test(name, tenant: fixture.world.rival.id, by: AccessFixture.local)
            }
        }
    }

    @Test("nothing is said to a server that can not be verified, nor at an address that is not allowed")
    func unsafe() async throws {
        let unavailable = Refusal(.unavailable, "directory.unavailable", "")
        try await Self.with(.sqlite) { fixture, directories, slapd in
            for change in [
                { $0.authorities = nil }, { $0.server = "ldaps://localhost:\(slapd.tlsPort)" },
                { $0.server = "ldap://localhost:\(slapd.port)" }, { $0.server = "ldaps://127.0.0.1:\(slapd.port)" },
                { $0.server = "ldaps://127.0.0.1:1" }, { $0.server = "ldaps://nowhere.invalid" },
                { $0.searcher = "cn=nobody,dc=example" },
            ] as [(inout LDAPSettings) -> Void] {
                let name = try #require(Name("corp"))
                try? await directories.remove(name, tenant: fixture.world.acme.id, by: AccessFixture.local)
                try await Self.put(Self.draft(slapd, change), directories, fixture)
                await #expect(throws: unavailable) {
                    try await Self.enter(directories, fixture, "ann", "ann secret")
                }
            }
        }
        try await Self.with(.sqlite, permits: { _ in false }) { fixture, directories, slapd in
            try await Self.put(Self.draft(slapd), directories, fixture)
            await #expect(throws: unavailable) { try await Self.enter(directories, fixture, "ann", "ann secret") }
        }
    }
}
