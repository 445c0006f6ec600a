import Access
import Audit
import Base
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Storage
import Testing
import Trust

@testable import Northbound
@testable import OAuth

/// Programs and persons at the authorization server of a real API.
struct OAuthWorld: Sendable {
    let api: NorthboundFixture

    static let acme = "/api/v1/tenants/acme"
    static let redirect = "https://app.example/cb"

    static func with(_ engine: TestDatabase.Engine, _ body: (OAuthWorld) async throws -> Void) async throws {
        try await NorthboundFixture.with(engine) { try await body(OAuthWorld(api: $0)) }
    }

    /// Registers a client and answers its identifier and secret.
    func client(
        _ method: String = "secret", _ flows: [JSONValue] = ["itself"], tenant: String = "acme",
        _ more: [String: JSONValue] = [:]
    ) async throws -> (id: String, secret: String) {
        var draft: [String: JSONValue] = ["name": "App", "method": .string(method), "flows": .array(flows)]
        if flows.contains("itself") { draft["role"] = "admin" }
        if flows.contains("code") { draft["redirects"] = [.string(Self.redirect)] }
        draft.merge(more) { _, new in new }
        let reply = try await api.send(.post, "/api/v1/tenants/\(tenant)/clients", .object(draft))
        let id = try #require(reply.body["clientId"]?.string, "\(reply.text)")
        return (id, reply.body["clientSecret"]?.string ?? "")
    }

    /// Sends a form.
    func form(
        _ path: String, _ values: [String: String], basic: (String, String)? = nil, headers: HTTPFields = [:]
    ) async throws -> NorthboundFixture.Reply {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/x-www-form-urlencoded" }
        if let basic {
            headers[.authorization] = "Basic " + Data("\(basic.0):\(basic.1)".utf8).base64EncodedString()
        }
        return try await visit(.post, path, FormText.text(values), headers: headers)
    }

    /// Sends any request to the people listener, without a token.
    func visit(
        _ method: HTTPRequest.Method, _ path: String, _ text: String = "", headers: HTTPFields = [:],
        at door: FrontDoor? = nil
    ) async throws -> NorthboundFixture.Reply {
        let request = Request(
            head: HTTPRequest(method: method, scheme: "https", authority: "x", path: path, headerFields: headers),
            body: RequestBody(buffer: ByteBuffer(string: text)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let response = try await (door ?? api.people).respond(
            to: request, context: CallContext(source: .init(channel: EmbeddedChannel(), logger: logger)))
        let writer = KeepingWriter()
        try await response.body.write(writer)
        return .init(status: response.status.code, headers: response.headers, text: writer.content)
    }

    /// A person of a tenant with a role, who has signed in.
    func person(_ name: String = "ada", role: String = "viewer", tenant: String = "acme") async throws -> Principal {
        let base = "/api/v1/tenants/\(tenant)"
        let made = try await api.send(.post, "\(base)/principals", ["name": .string(name), "kind": "user"])
        let id = try #require(PrincipalID(text: made.body["id"]?.string ?? ""), "\(made.text)")
        _ = try await api.send(
            .post, "\(base)/grants", ["principal": .string(name), "role": .string(role)])
        let slug = try #require(TenantSlug(tenant))
        let owner = try #require(api.world.access.directory.tenant(slug)).id
        let draft = CredentialDraft(.session, of: id, tenant: owner, name: "session")
        let opened = try await api.world.database.platform.write { try api.world.access.open(draft, in: $0) }
        return try await api.world.access.authenticate(session: opened.secret.text, address: "192.0.2.4")
    }

    /// Has somebody prove themselves now, as a sign-in does.
    func prove(_ person: Principal) async throws {
        let (credential, now) = (try #require(person.credential?.id), api.world.time.now)
        try await api.world.database.platform.write { tx in
            try tx.scoped(to: person.tenant).execute(
                "INSERT INTO step_up (tenant, credential, proved) VALUES ($1, $2, $3)", credential, now)
        }
    }

    /// What asks for an authorization.
    func query(_ client: String, _ verifier: String, _ more: [String: String?] = [:]) -> String {
        var values: [String: String?] = [
            "client_id": client, "response_type": "code", "redirect_uri": Self.redirect, "state": "s&1",
            "code_challenge": ProofKey.challenge(of: verifier), "code_challenge_method": "S256",
            "scope": "device.read telemetry.read",
        ]
        values.merge(more) { _, new in new }
        return FormText.text(values.compactMapValues(\.self))
    }

    /// The values that an address brings back.
    func values(_ address: String) throws -> [String: String] {
        #expect(address.hasPrefix(Self.redirect + "?"))
        return try #require(FormText.values(address.drop { $0 != "?" }.dropFirst()))
    }

    /// The tokens that a person's consent gives to a client.
    func consent(
        _ client: (id: String, secret: String), _ person: Principal, _ more: [String: String?] = [:]
    ) async throws -> NorthboundFixture.Reply {
        let verifier = ProofKey.makeVerifier()
        let address = try await api.oauth.approve(query(client.id, verifier, more), by: person)
        let code = try #require(values(address)["code"])
        return try await exchange(client, code, verifier)
    }

    func exchange(
        _ client: (id: String, secret: String), _ code: String, _ verifier: String, redirect: String = redirect
    ) async throws -> NorthboundFixture.Reply {
        try await form(
            "/oauth/token",
            ["grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier],
            basic: client)
    }

    func refresh(
        _ client: (id: String, secret: String), _ token: String?, _ more: [String: String] = [:]
    ) async throws -> NorthboundFixture.Reply {
        try await form(
            "/oauth/token",
            ["grant_type": "refresh_token", "refresh_token": token ?? ""].merging(more) { $1 }, basic: client)
    }

    /// The status that a token gets for the devices of a tenant.
    func status(_ token: String?, _ path: String = "devices", tenant: String = "acme") async throws -> Int {
        try await api.send(.get, "/api/v1/tenants/\(tenant)/\(path)", token: token ?? "").status
    }

    func log(_ code: String) async throws -> Int {
        try await api.world.audit.settle()
        let page = try await api.send(.get, "\(Self.acme)/audit?code=\(code)")
        return page.items.filter { $0["code"]?.string == code }.count
    }
}

extension NorthboundFixture.Reply {
    /// A member of the answer.
    func text(_ name: String) -> String? { body[name]?.string }
}
