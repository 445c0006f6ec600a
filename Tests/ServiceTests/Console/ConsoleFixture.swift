import Access
import Audit
import Base
import Delivery
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import OAuth
import SignIn
import Storage
import Synchronization
import Telemetry
import Testing
import Trust

@testable import Console
@testable import Northbound

/// The console over a real fleet, with people whose sessions are named after their roles.
struct ConsoleFixture: Sendable {
    let api: NorthboundFixture
    let console: Console
    let door: FrontDoor
    private let visitors: [String: Visitor]
    let verifier: AuditVerifier
    let parts: ConsoleParts

    static func with(
        _ engine: TestDatabase.Engine, newcomer: String? = nil, _ body: (ConsoleFixture) async throws -> Void
    ) async throws {
        try await NorthboundFixture.with(engine) { api in
            let world = try await ConsoleFixture(api)
            if let newcomer {
                let signedIn = try await world.newcomer("\(newcomer)@example.com")
                world.newcomers.add(
                    Visitor(principal: signedIn.principal, name: newcomer, formToken: "form-of-the-\(newcomer)"),
                    Self.secret(newcomer))
            }
            try await body(world)
        }
    }

    /// Who came in by an invitation, beside those who are always there.
    private let newcomers: Newcomers

    private final class Newcomers: Sendable {
        private let known = Mutex<[String: Visitor]>([:])
        private let ends = Mutex<[String: Refusal]>([:])
        func end(_ secret: String, _ refusal: Refusal) { ends.withLock { $0[secret] = refusal } }
        func refusal(_ secret: String) -> Refusal? { ends.withLock { $0[secret] } }
        func add(_ visitor: Visitor, _ secret: String) { known.withLock { $0[secret] = visitor } }
        subscript(secret: String) -> Visitor? { known.withLock { $0[secret] } }
    }

    /// Lets somebody come in under a name.
    func admit(_ principal: Principal, as name: String) {
        newcomers.add(Visitor(principal: principal, name: name, formToken: "form-of-the-\(name)"), Self.secret(name))
    }

    /// The secret of the session of whoever holds this role.
    static func secret(_ role: String) -> String { "session-of-the-\(role)" }

    private init(_ api: NorthboundFixture) async throws {
        let world = api.world
        try await world.database.migrate([
            TrustSchema.part, AuditSchema.part, AccessSchema.part, DeliverySchema.part, FleetSchema.part,
            TelemetrySchema.part, NorthboundSchema.part, SignInSchema.part, FactorSchema.part, OAuthSchema.part,
            ConsoleSchema.part,
        ])
        var people: [String: Visitor] = [:]
        for role in ["admin", "viewer"] {
            people[Self.secret(role)] = Visitor(
                principal: try await world.principal(role), name: "Ada \(role)", formToken: "form-of-the-\(role)")
        }
        people[Self.secret("rival")] = Visitor(
            principal: try await world.principal("admin", of: world.rival), name: "Rival",
            formToken: "form-of-the-rival")
        // Somebody who has signed in themselves, where a token is not enough.
        let person = try await OAuthWorld(api: api).person()
        people[Self.secret("person")] = Visitor(
            principal: person, name: "Ada Person", formToken: "form-of-the-person")
        try self.init(api, people, Newcomers())
    }

    /// The same after the console was started anew, with nothing in its memory.
    func restarted() throws -> ConsoleFixture { try ConsoleFixture(api, visitors, newcomers) }

    private init(_ api: NorthboundFixture, _ visitors: [String: Visitor], _ newcomers: Newcomers) throws {
        let (world, known) = (api.world, visitors)
        self.api = api
        self.visitors = visitors
        self.newcomers = newcomers
        verifier = AuditVerifier(world.audit)
        parts = ConsoleParts(
            database: world.database, access: world.access, audit: world.audit, fleet: world.fleet,
            telemetry: api.telemetry, operations: api.operations, watch: api.watch, signIn: api.services.signIn,
            factors: api.services.factors,
            directories: api.services.directories, delivery: api.services.delivery,
            authorities: api.services.authorities, issuing: world.issuing, keyRing: world.ring,
            verifier: verifier,
            auditCodes: AuditCode.audit + AuditCode.access + AuditCode.signIn + AuditCode.fleet, bus: world.bus,
            oauth: api.oauth,
            gatekeeper: api.services.gatekeeper, metrics: Metrics(), clock: world.time.clock, version: "1.2.3",
            addresses: DeviceAddresses(host: "fleet.example.com", people: 8443, device: 8444, mqtt: 8883),
            doors: [
                ServerDoor(.people, host: "0.0.0.0", port: 8443), ServerDoor(.devices, host: "0.0.0.0", port: 8444),
                ServerDoor(.mqtt, host: "0.0.0.0", port: 8883), ServerDoor(.metrics, host: "127.0.0.1", port: 9464),
            ],
            names: ["fleet.example.com"], serverAuthority: { "the authority\n" })
        console = try Console(
            parts,
            sessions: Sessions(
                visitor: { secret, _, _ in
                    if let refusal = newcomers.refusal(secret) { throw refusal }
                    guard let visitor = known[secret] ?? newcomers[secret] else {
                        throw Refusal(.unauthenticated, "session.ended", "Sign in.")
                    }
                    return visitor
                }, end: { _, _ in }))
        var services = api.services
        services.site = console.site
        door = services.frontDoor(api.table, listener: .people, caller: .bearer)
    }

    /// Lets the session of whoever holds a role count no more.
    func end(_ role: String, _ refusal: Refusal) { newcomers.end(Self.secret(role), refusal) }

    /// The password of every newcomer.
    static let password = "harbour lantern quietly"

    /// Somebody of `acme` with an account, who has signed in just now.
    func newcomer(_ address: String, role: String = "viewer") async throws -> SignedIn {
        let (signIn, origin) = (api.services.signIn, Origin(address: nil))
        let invitation = try await signIn.invite(
            address, role: role, tenant: api.world.acme, by: .localAdministrator)
        let secret = String((invitation.link?.url ?? "").split(separator: "=").last ?? "")
        guard case .done(let session) = try await signIn.accept(secret, password: Self.password, from: origin) else {
            throw Refusal(.invalid, "test.step", "the invitation does not lead in")
        }
        return try await signIn.session(session.text, from: origin)
    }

    /// Another session of somebody with the usual password.
    func enter(_ address: String) async throws -> SignedIn {
        let (signIn, origin) = (api.services.signIn, Origin(address: nil))
        guard case .done(let session) = try await signIn.begin(address: address, password: Self.password, from: origin)
        else { throw Refusal(.invalid, "test.step", "the password does not lead in") }
        return try await signIn.session(session.text, from: origin)
    }

    /// The person who has signed in themselves.
    func person() async throws -> Principal { try #require(visitors[Self.secret("person")]?.principal) }

    struct Reply: Sendable {
        let status: Int
        let headers: HTTPFields
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Asks as a browser does, as whoever holds a role or, without one, as nobody.
    func get(
        _ path: String, as role: String? = nil, method: HTTPRequest.Method = .get, headers: HTTPFields = [:]
    ) async throws -> Reply {
        var fields = headers
        if let role { fields[.cookie] = "\(SessionCookie(.people).name)=\(Self.secret(role))" }
        return try await send(method, path, "", fields)
    }

    /// Sends a form as our own page does; `token` nil is the right one.
    func post(
        _ path: String, _ form: [(String, String)] = [], as role: String? = nil, token: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        var fields: HTTPFields = [
            .contentType: "application/x-www-form-urlencoded", .origin: "https://fleet.example.com",
            .secFetchSite: "same-origin",
        ]
        for field in headers { fields[field.name] = field.value.isEmpty ? nil : field.value }
        if let role { fields[.cookie] = "\(SessionCookie(.people).name)=\(Self.secret(role))" }
        let token = token ?? role.map { "form-of-the-\($0)" } ?? ""
        fields[.formToken] = token
        let body = (form + [("form-token", token)]).map {
            "\($0.0.percentEncoded)=\($0.1.percentEncoded)"
        }.joined(separator: "&")
        return try await send(.post, path, body, fields)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String, _ fields: HTTPFields,
        host: String = "fleet.example.com"
    ) async throws -> Reply {
        let request = Request(
            head: HTTPRequest(
                method: method, scheme: "https", authority: host, path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: body)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = CallContext(source: .init(channel: EmbeddedChannel(), logger: logger))
        let response = try await door.respond(to: request, context: context)
        let writer = ByteWriter()
        try await response.body.write(writer)
        return Reply(status: response.status.code, headers: response.headers, bytes: writer.content)
    }
}

/// Collects a body as bytes.
private final class ByteWriter: ResponseBodyWriter, Sendable {
    private let bytes = Mutex<[UInt8]>([])
    var content: [UInt8] { bytes.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { $0 += Array(buffer.readableBytesView) } }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
