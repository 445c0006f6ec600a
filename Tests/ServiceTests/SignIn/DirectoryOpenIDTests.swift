import Access
import Audit
import Base
import Storage
import Synchronization
import Testing
import Trust

@testable import SignIn

/// A provider that answers as a test wants, without a network.
final class TestProvider: Sendable {
    struct State {
        var claims: [String: JSONValue] = [:]
        var signer = TokenSigner()
        var shown: [TokenSigner] = []
        var nonce = ""
        var challenge = ""
        var token: String?
        var document: JSONValue?
        var asked: [FetchRequest] = []
        var header: JSONValue?
        var tokenRefusal: String?
    }

    static let issuer = "https://login.example"
    let state = Mutex(State())
    let now: @Sendable () -> Timestamp

    init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
        state.withLock { $0.shown = [$0.signer] }
    }

    func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    static let document: JSONValue = [
        "issuer": .string(issuer), "authorization_endpoint": "https://login.example/authorize",
        "token_endpoint": "https://login.example/token", "jwks_uri": "https://login.example/keys",
    ]

    func answer(_ request: FetchRequest) throws -> FetchAnswer {
        let seconds = now().microseconds / 1_000_000
        return try state.withLock { state in
            state.asked.append(request)
            func json(_ value: JSONValue) -> FetchAnswer {
                FetchAnswer(status: 200, body: Array(value.canonical.utf8))
            }
            switch request.address {
            case "https://login.example/.well-known/openid-configuration": return json(state.document ?? Self.document)
            case "https://login.example/keys": return json(["keys": .array(state.shown.map(\.publicKey))])
            case "https://login.example/token":
                if let refusal = state.tokenRefusal {
                    return FetchAnswer(status: 401, body: Array(#"{"error":"\#(refusal)"}"#.utf8))
                }
                let form = String(decoding: request.body, as: UTF8.self)
                let verifier = form.split(separator: "&").first { $0.hasPrefix("code_verifier=") }?.dropFirst(14) ?? ""
                guard ProofKey.matches(String(verifier), challenge: state.challenge), form.contains("code=right") else {
                    return FetchAnswer(status: 400, body: Array(#"{"error":"invalid_grant"}"#.utf8))
                }
                var claims: [String: JSONValue] = [
                    "iss": .string(Self.issuer), "aud": "tidegate", "sub": "u1", "iat": .integer(seconds),
                    "exp": .integer(seconds + 300), "nonce": .string(state.nonce), "email": "ann@example.com",
                    "email_verified": true, "name": "Ann", "groups": ["staff"],
                ]
                claims.merge(state.claims) { _, new in new }
                let token = try state.token ?? state.signer.sign(.object(claims))
                return json(["id_token": .string(token), "access_token": "x", "token_type": "Bearer"])
            default: return FetchAnswer(status: 404, body: [])
            }
        }
    }
}

@Suite struct DirectoryOpenIDTests {
    static func with(
        _ engine: TestDatabase.Engine, _ body: (SignInFixture, Directories, TestProvider) async throws -> Void
    ) async throws {
        try await SignInFixture.with(engine) { fixture in
            try await fixture.world.database.migrate([
                TrustSchema.part, AuditSchema.part, AccessSchema.part, SignInSchema.part, FactorSchema.part,
                DirectorySchema.part,
            ])
            let provider = TestProvider(now: { fixture.world.time.now })
            let directories = Directories(
                signIn: fixture.signIn, keyRing: fixture.world.keyRing, fetch: { try provider.answer($0) },
                permits: { _ in true })
            try await body(fixture, directories, provider)
        }
    }

    static func draft(_ change: (inout DirectoryDraft) -> Void = { _ in }) -> DirectoryDraft {
        var draft = DirectoryDraft(
            .openID(OpenIDSettings(issuer: TestProvider.issuer, client: "tidegate")), secret: "provider secret")
        draft.createsAccounts = true
        draft.groups = [
            GroupRule(group: "staff", role: "viewer"), GroupRule(group: "bosses", role: "operator", domain: "plant"),
        ]
        change(&draft)
        return draft
    }

    /// Visits the provider and comes back.
    static func signIn(
        _ directories: Directories, _ provider: TestProvider, _ more: [String: String?] = [:], browser: String? = nil,
        organisation: String = "acme", from origin: Origin = SignInFixture.office
    ) async throws -> Step {
        let slug = try #require(TenantSlug(organisation))
        let visit = try await directories.visit("corp", of: slug, from: origin)
        var query: [String: String] = [:]
        for pair in visit.address.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            query[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        provider.set {
            $0.nonce = query["nonce"] ?? ""
            $0.challenge = query["code_challenge"] ?? ""
        }
        #expect(visit.address.hasPrefix("https://login.example/authorize?") && query["client_id"] == "tidegate")
        #expect(query["redirect_uri"] == "https%3A%2F%2Fpeople.example%3A8443%2Fsign-in%2Freturn")
        #expect(query["code_challenge_method"] == "S256")
        var values: [String: String?] = ["code": "right", "state": query["state"]]
        values.merge(more) { _, new in new }
        return try await directories.comeBack(
            values.compactMapValues(\.self), browser: browser ?? visit.browser, from: origin)
    }

    static func session(_ step: Step) -> String? { if case .done(let secret) = step { secret.text } else { nil } }

    @Test("a test asks the provider who it is and whether it knows this server")
    func test() async throws {
        try await Self.with(.sqlite) { fixture, directories, provider in
            let (name, tenant) = (try #require(Name("corp")), fixture.world.acme.id)
            _ = try await directories.put(name, Self.draft(), tenant: tenant, by: AccessFixture.local)
            func test() async throws -> DirectoryTest {
                try await directories.test(name, tenant: tenant, by: AccessFixture.local)
            }
            let good = try await test()
            #expect(good.works && good.findings.last == "It knows tidegate and the secret.", "\(good)")
            let asked = try #require(provider.state.withLock { $0.asked.last })
            #expect(asked.headers.contains { $0.hasPrefix("Authorization: Basic ") })
            provider.set { $0.tokenRefusal = "invalid_client" }
            let unknown = try await test()
            #expect(!unknown.works && unknown.findings.last?.contains("the secret is wrong") == true, "\(unknown)")
            provider.set { $0.document = ["issuer": "https://other.example"] }
            let another = try await test()
            #expect(!another.works && another.findings.count == 1, "it is asked anew: \(another)")
        }
    }

    @Test(
        "a person of a provider gets an account and the roles of their groups, which follow the groups",
        arguments: TestDatabase.engines)
    func groups(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, directories, provider in
            let acme = fixture.world.acme
            let name = try #require(Name("corp"))
            let made = try await directories.put(name, Self.draft(), tenant: acme.id, by: AccessFixture.local)
            #expect(try await directories.choices(of: acme.slug) == [made])
            #expect(try await directories.choices(of: fixture.world.rival.slug).isEmpty)
            let secret = try #require(Self.session(try await Self.signIn(directories, provider)))
            let first = try await fixture.signIn.session(secret, from: SignInFixture.office)
            #expect(first.account.address.text == "ann@example.com" && first.account.name == "Ann")
            #expect(!first.account.hasPassword)
            #expect(try await fixture.world.isAllowed(first.principal, .deviceRead))
            #expect(try await !fixture.world.isAllowed(first.principal, .deviceManage, at: "plant"))
            provider.set { $0.claims = ["groups": ["bosses"], "email": "new@example.com", "name": "Other"] }
            let again = try #require(Self.session(try await Self.signIn(directories, provider)))
            let second = try await fixture.signIn.session(again, from: SignInFixture.office)
            #expect(second.principal.id == first.principal.id, "the issuer's name for a person counts, not the address")
            #expect(try await fixture.world.isAllowed(second.principal, .deviceManage, at: "plant"))
            #expect(try await !fixture.world.isAllowed(second.principal, .deviceRead, at: "office"))
            provider.set { $0.claims = ["groups": []] }
            _ = try await Self.signIn(directories, provider)
            #expect(try await !fixture.world.isAllowed(second.principal, .deviceRead, at: "plant"))
            #expect(try await fixture.world.log("directory.groups", of: acme.id).count == 2)
            #expect(try await fixture.world.log("directory.linked", of: acme.id).count == 1)
            // The secret is at the provider's token endpoint only, and nowhere readable in the database.
            let asked = provider.state.withLock { $0.asked }
            #expect(asked.filter { $0.headers.contains { $0.hasPrefix("Authorization: Basic ") } }.count == 3)
            let stored = try await fixture.world.database.platform.read {
                try $0.acrossTenants.rows("SELECT * FROM directory").flatMap(\.values)
            }
            #expect(
                !stored.contains(.blob(Array("provider secret".utf8))) && !stored.contains(.text("provider secret")))
        }
    }

    @Test("a group that only looks like one that is meant gives nothing")
    func lookalike() async throws {
        try await Self.with(.sqlite) { fixture, directories, provider in
            let draft = Self.draft { $0.groups = [GroupRule(group: "caf\u{E9}", role: "operator", domain: "plant")] }
            _ = try await directories.put(
                #require(Name("corp")), draft, tenant: fixture.world.acme.id, by: AccessFixture.local)
            for (group, isMeant) in [("caf\u{E9}", true), ("cafe\u{301}", false)] {
                provider.set { $0.claims = ["groups": [.string(group)]] }
                let secret = try #require(Self.session(try await Self.signIn(directories, provider)))
                let session = try await fixture.signIn.session(secret, from: SignInFixture.office)
                #expect(try await fixture.world.isAllowed(session.principal, .deviceManage, at: "plant") == isMeant)
            }
        }
    }

    @Test("a rule whose role is gone gives nothing and keeps nobody out", arguments: TestDatabase.engines)
    func goneRole(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, directories, provider in
            let (acme, local) = (fixture.world.acme.id, AccessFixture.local)
            _ = try await fixture.world.access.putRole(
                #require(Name("helper")), permissions: [.modelRead], tenant: acme, by: local)
            var draft = Self.draft()
            draft.groups.append(GroupRule(group: "helpers", role: "helper", domain: nil))
            _ = try await directories.put(#require(Name("corp")), draft, tenant: acme, by: local)
            try await fixture.world.access.deleteRole("helper", tenant: acme, by: local)
            provider.set { $0.claims = ["groups": ["bosses", "helpers"]] }
            let secret = try #require(Self.session(try await Self.signIn(directories, provider)))
            let session = try await fixture.signIn.session(secret, from: SignInFixture.office)
            #expect(try await fixture.world.isAllowed(session.principal, .deviceManage, at: "plant"))
        }
    }

    @Test(
        "a group gives no guest's role, which needs an end; a rule from before is worth nothing and keeps nobody out",
        arguments: TestDatabase.engines)
    func guests(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, directories, provider in
            let (acme, local) = (fixture.world.acme.id, AccessFixture.local)
            let name = try #require(Name("corp"))
            for role in ["guest", Role.guest.id.text] {
                await #expect(throws: Refusal(.invalid, "directory.guest", ""), "\(role)") {
                    let draft = Self.draft { $0.groups.append(GroupRule(group: "guests", role: role, domain: nil)) }
                    _ = try await directories.put(name, draft, tenant: acme, by: local)
                }
            }
            // As an earlier version would have stored it.
            let kept = Self.draft { $0.groups.append(GroupRule(group: "guests", role: "visitor", domain: nil)) }
            _ = try await fixture.world.access.putRole(
                #require(Name("visitor")), permissions: [.modelRead], tenant: acme, by: local)
            _ = try await directories.put(name, kept, tenant: acme, by: local)
            try await fixture.world.database.tenant(acme).write { tx in
                var directory = try #require(try DirectoryRow.find(name, of: acme, in: tx))
                directory = Directory(
                    id: directory.id, tenant: acme, name: name, isEnabled: true,
                    createsAccounts: directory.createsAccounts, linksAddresses: directory.linksAddresses,
                    groups: directory.groups.map {
                        GroupRule(group: $0.group, role: $0.role == "visitor" ? "guest" : $0.role, domain: $0.domain)
                    }, means: directory.means)
                try DirectoryRow.put(directory, in: tx)
            }
            provider.set { $0.claims = ["groups": ["bosses", "guests"]] }
            let secret = try #require(Self.session(try await Self.signIn(directories, provider)))
            let session = try await fixture.signIn.session(secret, from: SignInFixture.office)
            #expect(try await fixture.world.isAllowed(session.principal, .deviceManage, at: "plant"))
            let switchedOff = Self.draft {
                $0.groups.append(GroupRule(group: "guests", role: "guest", domain: nil))
                $0.isEnabled = false
            }
            _ = try await directories.put(name, switchedOff, tenant: acme, by: local)
        }
    }

    @Test(
        "what a provider says is believed only when every part of it is right",
        arguments: [
            ["nonce": "another"], ["nonce": .null], ["aud": "another"], ["iss": "https://evil.example"],
            ["sub": .null], ["sub": ""], ["exp": 1_000_000_000], ["iat": .null], ["azp": "another"],
            ["aud": ["tidegate", "another"]], ["sub": .string(String(repeating: "s", count: 2000))],
            ["email_verified": false], ["email": .null], ["groups": ["strangers"]], ["iat": 1_900_000_000],
        ] as [[String: JSONValue]])
    func claims(claims: [String: JSONValue]) async throws {
        try await Self.with(.sqlite) { fixture, directories, provider in
            _ = try await directories.put(
                #require(Name("corp")), Self.draft(), tenant: fixture.world.acme.id, by: AccessFixture.local)
            provider.set { $0.claims = claims }
            await #expect(throws: (any Error).self) { try await Self.signIn(directories, provider) }
            #expect(
                try await fixture.signIn.accounts(tenant: fixture.world.acme.id, by: AccessFixture.local).isEmpty)
        }
    }

    @Test(
        "a state counts once, for the browser that began, for ten minutes, and for its own provider",
        arguments: TestDatabase.engines)
    func state(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, directories, provider in
            _ = try await directories.put(
                #require(Name("corp")), Self.draft(), tenant: fixture.world.acme.id, by: AccessFixture.local)
            let refused = Refusal(.unauthenticated, "signin.directory", "")
            for more in [
                ["state": nil], ["state": "x"], ["state": Token.make(kind: "visit").text], ["code": nil],
                ["code": "wrong"], ["iss": "https://evil.example"], ["error": "access_denied", "code": nil],
            ] as [[String: String?]] {
                await #expect(throws: refused) { try await Self.signIn(directories, provider, more) }
            }
            await #expect(throws: refused) {
                try await Self.signIn(directories, provider, browser: Token.make(kind: "browser").text)
            }
            let visit = try await directories.visit("corp", of: fixture.world.acme.slug, from: SignInFixture.office)
            let state = String(visit.address.split(separator: "state=")[1].prefix { $0 != "&" })
            fixture.world.time.advance(by: .seconds(601))
            await #expect(throws: refused) {
                try await directories.comeBack(
                    ["state": state, "code": "right"], browser: visit.browser, from: SignInFixture.office)
            }
            await #expect(throws: refused) {
                try await directories.visit("corp", of: fixture.world.rival.slug, from: SignInFixture.office)
            }
            await #expect(throws: refused) {
                try await directories.visit(
                    "corp", of: fixture.world.acme.slug, from: Origin(address: "192.0.2.1", realm: .platform))
            }
            try await directories.prune()
        }
    }

    @Test("a forged token, an unknown key and another's document are refused; a new key is fetched")
    func forged() async throws {
        try await Self.with(.sqlite) { fixture, directories, provider in
            _ = try await directories.put(
                #require(Name("corp")), Self.draft(), tenant: fixture.world.acme.id, by: AccessFixture.local)
            let stranger = TokenSigner()
            provider.set { $0.signer = stranger }
            await #expect(throws: Directories.refused) { try await Self.signIn(directories, provider) }
            let unsigned =
                Array(#"{"alg":"none"}"#.utf8).base64URL + "." + Array(#"{"sub":"u1"}"#.utf8).base64URL + "."
            provider.set { $0.token = unsigned }
            await #expect(throws: Directories.refused) { try await Self.signIn(directories, provider) }
            fixture.world.time.advance(by: .seconds(61))
            provider.set {
                $0.token = nil
                $0.shown = [stranger]
            }
            #expect(Self.session(try await Self.signIn(directories, provider)) != nil)
            fixture.world.time.advance(by: .seconds(3601))
            provider.set { $0.document = ["issuer": "https://evil.example"] }
            await #expect(throws: Refusal(.unavailable, "directory.unavailable", "")) {
                try await Self.signIn(directories, provider)
            }
        }
    }

    @Test(
        "an account that there is already is not taken over, unless the tenant wants addresses to count",
        arguments: TestDatabase.engines)
    func linking(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { fixture, directories, provider in
            let acme = fixture.world.acme
            let name = try #require(Name("corp"))
            let account = try await fixture.account()
            _ = try await directories.put(name, Self.draft(), tenant: acme.id, by: AccessFixture.local)
            await #expect(throws: Directories.refused) { try await Self.signIn(directories, provider) }
            #expect(try await fixture.world.log("directory.refused", of: acme.id).count == 1)
            _ = try await directories.put(
                name, Self.draft { $0.linksAddresses = true }, tenant: acme.id, by: AccessFixture.local)
            let secret = try #require(Self.session(try await Self.signIn(directories, provider)))
            let signedIn = try await fixture.signIn.session(secret, from: SignInFixture.office)
            #expect(signedIn.principal.id == account.principal)
            // What an administrator gave by hand stays when groups give nothing.
            provider.set { $0.claims = ["groups": []] }
            _ = try await Self.signIn(directories, provider)
            #expect(try await fixture.world.isAllowed(signedIn.principal, .principalManage))
            // Factors count here, too; a disabled account is let in by nobody.
            fixture.setDemand(.enrolment)
            guard case .enrolFactor = try await Self.signIn(directories, provider) else {
                Issue.record("the factor that the tenant demands is not asked for")
                return
            }
            _ = try await fixture.world.access.setActive(
                false, principal: account.principal.text, tenant: acme.id, by: AccessFixture.local)
            await #expect(throws: Directories.refused) { try await Self.signIn(directories, provider) }
            try await directories.remove(name, tenant: acme.id, by: AccessFixture.local)
            #expect(try await directories.choices(of: acme.slug).isEmpty)
        }
    }

    @Test("whoever could be anybody by a directory holds everything; two agree to it where the tenant wants two")
    func takingOver() async throws {
        try await Self.with(.sqlite) { fixture, directories, _ in
            let acme = fixture.world.acme
            let name = try #require(Name("corp"))
            let links = Self.draft { $0.linksAddresses = true }
            let bosses = Self.draft { $0.groups = [GroupRule(group: "bosses", role: "admin")] }
            let admin = try await fixture.world.principal("admin")
            let owner = try await fixture.world.principal("owner")
            await #expect(throws: Refusal(.forbidden, "access.beyondOwn", "")) {
                try await directories.put(name, links, reason: "move", tenant: acme.id, by: admin)
            }
            for draft in [links, bosses] {
                await #expect(throws: Refusal(.invalid, "reason.required", "")) {
                    try await directories.put(name, draft, tenant: acme.id, by: owner)
                }
            }
            _ = try await directories.put(name, bosses, reason: "move", tenant: acme.id, by: admin)
            // Who does not hold what it gave takes no part in it.
            let limited = try await fixture.world.access.putRole(
                #require(Name("registrar")), permissions: [.principalRead, .principalManage], reason: "x",
                tenant: acme.id, by: AccessFixture.local)
            let registrar = try await fixture.world.principal(limited.name.text)
            await #expect(throws: Refusal(.forbidden, "access.beyondOwn", "")) {
                try await directories.put(
                    name, Self.draft { $0.groups = [] }, reason: "x", tenant: acme.id, by: registrar)
            }
            await #expect(throws: Refusal(.forbidden, "access.beyondOwn", "")) {
                try await directories.remove(name, reason: "x", tenant: acme.id, by: registrar)
            }
            try await fixture.world.access.setNeedsSecondApprover(
                true, reason: "audit", tenant: acme.id, by: AccessFixture.local)
            await #expect(throws: Refusal(.conflict, "approval.needed", "")) {
                try await directories.put(name, links, reason: "move", tenant: acme.id, by: owner)
            }
            // A new secret alone gives nobody anything.
            _ = try await directories.put(name, bosses, tenant: acme.id, by: admin)
            let change: JSONValue = [
                "name": "corp", "linksAddresses": true,
                "openid": ["issuer": .string(TestProvider.issuer), "client": "tidegate"],
            ]
            for bad: JSONValue in [
                [:], ["name": "corp"], ["name": "corp", "openid": [:]],
                ["name": "corp", "openid": ["issuer": "https://login.example", "client": "c"], "secret": "s"],
                ["name": "corp", "openid": ["issuer": "https://login.example", "client": "c"], "groups": [1]],
            ] {
                await #expect(throws: Refusal(.invalid, "change.invalid", ""), "\(bad)") {
                    try await fixture.world.access.propose(
                        "directory.put", bad, reason: "move", tenant: acme.id, by: owner)
                }
            }
            let pending = try await fixture.world.access.propose(
                "directory.put", change, reason: "move", tenant: acme.id, by: owner)
            _ = try await fixture.world.access.approve(pending.id, tenant: acme.id, by: AccessFixture.local)
            let made = try await directories.directories(of: acme.id, by: admin)
            #expect(made.map(\.linksAddresses) == [true] && made.map(\.groups) == [[]])
        }
    }

    @Test("nobody lets a directory give what they do not hold, or asks it in an unsafe way")
    func settings() async throws {
        try await Self.with(.sqlite) { fixture, directories, _ in
            let acme = fixture.world.acme
            let name = try #require(Name("corp"))
            let viewer = try await fixture.world.principal("viewer")
            await #expect(throws: Refusal.self) {
                try await directories.put(name, Self.draft(), tenant: acme.id, by: viewer)
            }
            let admin = try await fixture.world.principal("admin")
            await #expect(throws: Refusal.self) {
                let rule = GroupRule(group: "g", role: "platform-admin")
                _ = try await directories.put(name, Self.draft { $0.groups = [rule] }, tenant: acme.id, by: admin)
            }
            let ldap = LDAPSettings(server: "ldaps://ldap.example", base: "dc=example")
            func changed(_ change: (inout LDAPSettings) -> Void) -> Directory.Means {
                var settings = ldap
                change(&settings)
                return .ldap(settings)
            }
            let issuer = OpenIDSettings(issuer: "https://login.example", client: "c")
            for means in [
                .openID(OpenIDSettings(issuer: "http://login.example", client: "c")),
                .openID(OpenIDSettings(issuer: "https://user@login.example", client: "c")),
                .openID(OpenIDSettings(issuer: "https://login.example?x", client: "c")),
                .openID(OpenIDSettings(issuer: "https://login.example", client: "")),
                .openID(OpenIDSettings(issuer: "https://login.example", client: "c", scope: "profile")),
                changed { $0.server = "ldapi:///" }, changed { $0.server = "http://ldap.example" },
                changed { $0.filter = "(uid=x)" }, changed { $0.filter = "(uid={user}" },
                changed { $0.groupFilter = "(cn=all)" }, changed { $0.mailAttribute = "mail)(x" },
            ] as [Directory.Means] {
                await #expect(throws: Refusal(.invalid, "directory.invalid", ""), "\(means)") {
                    try await directories.put(name, DirectoryDraft(means), tenant: acme.id, by: admin)
                }
            }
            _ = try await directories.put(name, DirectoryDraft(.openID(issuer)), tenant: acme.id, by: admin)
            await #expect(throws: Refusal(.conflict, "directory.another", "")) {
                try await directories.put(name, DirectoryDraft(.ldap(ldap)), tenant: acme.id, by: admin)
            }
        }
    }
}
