import Base
import HTTPTypes
import Storage
import Testing
import Trust

@testable import Access
@testable import Northbound
@testable import SignIn

/// One's own factors over the API, by somebody whom a program acts for.
@Suite struct NorthboundFactorTests {
    static let all = "/api/v1/me/factors"
    static let users = "/api/v1/tenants/acme/users"
    static let password = "correct horse battery"

    /// An account that somebody has taken up, and an access token for it.
    static func person(_ api: NorthboundFixture) async throws -> (id: String, token: String) {
        let invited = try await api.send(
            .post, users, ["address": "ann@example.com", "role": "viewer"], token: api.token("admin"))
        let url = try #require(invited.body["link"]?["url"]?.string)
        let office = Origin(address: "192.0.2.7")
        _ = try await api.services.signIn.accept(
            String(url.split(separator: "=").last ?? ""), password: password, from: office)
        let id = try #require(invited.body["user"]?["id"]?.string)
        let principal = try #require(PrincipalID(text: id))
        let slug = try #require(TenantSlug("acme"))
        let tenant = try #require(api.services.access.directory.tenant(slug)).id
        let secret = try await api.services.database.platform.write { tx in
            try api.services.access.open(
                CredentialDraft(.access, of: principal, tenant: tenant, name: "program"), in: tx
            ).secret.text
        }
        return (id, secret)
    }

    @Test("a factor is set up, confirmed, renamed, demanded and reset", arguments: TestDatabase.engines)
    func whole(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let (id, token) = try await Self.person(api)
            let admin = try await api.token("admin")
            let empty = try await api.send(.get, Self.all, token: token)
            #expect(empty.body == ["factors": [], "recoveryCodes": 0, "demanded": "none"], "\(empty.text)")
            let early = try await api.send(.post, "\(Self.all)/authenticators", [:], token: token)
            #expect(early.status == 403 && early.body["code"] == "signin.stepUp")
            let wrong = try await api.send(.post, "/api/v1/me/proofs", ["password": "no"], token: token)
            #expect(wrong.status == 403 && wrong.body["code"] == "password.wrong")
            let nothing = try await api.send(.post, "/api/v1/me/proofs", [:], token: token)
            #expect(nothing.status == 400)
            let proof = try await api.send(
                .post, "/api/v1/me/proofs", ["password": .string(Self.password)], token: token)
            #expect(proof.status == 204, "\(proof.text)")
            let made = try await api.send(.post, "\(Self.all)/authenticators", ["name": "Phone"], token: token)
            #expect(
                made.status == 201 && made.body["address"]?.string?.hasPrefix("otpauth://totp/people.example:") == true)
            let factor = try #require(made.body["id"]?.string)
            let code = try FactorFixture.code(try #require(made.body["secret"]?.string), at: api.world.time.now)
            let path = "\(Self.all)/\(factor)"
            let bad = try await api.send(.post, "\(path)/confirmation", ["code": "000000"], token: token)
            #expect(bad.status == 403 && bad.body["code"] == "factor.wrong")
            let confirmed = try await api.send(.post, "\(path)/confirmation", ["code": .string(code)], token: token)
            #expect(confirmed.status == 200 && confirmed.body["factor"]?["method"] == "totp", "\(confirmed.text)")
            let renamed = try await api.send(.patch, path, ["name": "Old phone"], token: token)
            #expect(renamed.body["name"] == "Old phone")
            let policy = "/api/v1/tenants/acme/factor-policy"
            let demanded = try await api.send(
                .put, policy, ["level": "code", "role": "viewer", "reason": "audit"], token: admin)
            #expect(demanded.body["everybody"] == "none", "\(demanded.text)")
            let shown = try await api.send(.get, policy, token: admin)
            #expect(shown.body == demanded.body)
            let unreasoned = try await api.send(.put, policy, ["level": "any", "reason": ""], token: admin)
            #expect(unreasoned.status == 400)
            let kept = try await api.send(.delete, path, token: token)
            #expect(kept.status == 409 && kept.body["code"] == "factor.demanded")
            let telephone = try await api.send(
                .post, "\(Self.all)/telephones", ["number": "+15550100999"], token: token)
            #expect(telephone.status == 503 && telephone.body["code"] == "factor.noText")
            let noNumber = try await api.send(.post, "\(Self.all)/telephones", ["number": "110"], token: token)
            #expect(noNumber.status == 400)
            let options = try await api.send(.post, "\(Self.all)/passkeys/options", token: token)
            #expect(options.status == 200 && options.body["rp"]?["id"] == "people.example", "\(options.text)")
            let nonsense = try await api.send(
                .post, "\(Self.all)/passkeys", ["credential": ["type": "public-key"]], token: token)
            #expect(nonsense.status == 400 && nonsense.body["code"] == "passkey.form")
            let codes = try await api.send(.post, "/api/v1/me/recovery-codes", token: token)
            #expect(codes.status == 201)
            let foreign = try await api.send(
                .delete, "\(Self.all)/\(Identifier<CredentialKind>(high: 1, low: 1))", token: token)
            #expect(foreign.status == 404 && foreign.body["code"] == "factor.unknown")
            let reset = try await api.send(
                .post, "\(Self.users)/\(id)/factor-reset", ["reason": "phone lost"], token: admin)
            #expect(reset.status == 204, "\(reset.text)")
            #expect(try await api.send(.get, Self.all, token: token).status == 401)
        }
    }

    @Test("a program of its own has no factors", arguments: TestDatabase.engines)
    func programs(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let client = try await api.token("admin")
            let reply = try await api.send(.get, Self.all, token: client)
            #expect(reply.status == 409 && reply.body["code"] == "factor.noAccount")
        }
    }
}
