import Access
import Audit
import Base
import Blobs
import Delivery
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import OAuth
import Operations
import SignIn
import Storage
import Synchronization
import Testing
import Trust
import Watch

@testable import Northbound
@testable import Telemetry

/// The API over a real fleet with two tenants, `acme` and `rival`, on one engine.
struct NorthboundFixture: Sendable {
    let world: FleetFixture
    let telemetry: Telemetry
    let operations: Operations
    let watch: Watch
    let oauth: OAuth
    let services: NorthboundServices
    let table: RouteTable
    /// Where programs come in, by token.
    let people: FrontDoor
    /// Where the local administrator comes in.
    let admin: FrontDoor

    static func with(
        _ engine: TestDatabase.Engine, _ body: (NorthboundFixture) async throws -> Void
    ) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.database.migrate([
                TrustSchema.part, AuditSchema.part, AccessSchema.part, DeliverySchema.part, FleetSchema.part,
                TelemetrySchema.part, OperationsSchema.part, ReleasesSchema.part, LinesSchema.part,
                MaintenanceSchema.part, CampaignsSchema.part,
                WatchSchema.part,
                NorthboundSchema.part, SignInSchema.part, FactorSchema.part, OAuthSchema.part, DirectorySchema.part,
            ])
            let fixture = try await NorthboundFixture(world)
            try await body(fixture)
            try await fixture.telemetry.close()
        }
    }

    private init(_ world: FleetFixture) async throws {
        self.world = world
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let directory = world.directory + "/telemetry"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        telemetry = Telemetry(
            database: world.database, directory: directory, retention: .init(raw: .seconds(3650 * 86_400)),
            clock: world.time.clock, logger: logger)
        try await telemetry.open()
        operations = Operations(
            database: world.database, access: world.access, audit: world.audit, keyRing: world.ring,
            fleet: world.fleet, bus: world.bus,
            blobs: try Blobs(directory: world.directory + "/blobs"), clock: world.time.clock)
        try await operations.start()
        let authorities = try CertificateAuthorities(
            paths: AuthorityPaths(keys: world.directory + "/keys", trust: world.directory + "/trust"),
            deployment: #require(DeploymentName("fleet.example.com")), clock: world.time.clock, logger: logger)
        oauth = OAuth(
            database: world.database, access: world.access, audit: world.audit, keyRing: world.ring,
            issuer: Issuer("https://fleet.example.com"), clock: world.time.clock)
        let signIn = SignIn(
            database: world.database, access: world.access, audit: world.audit,
            hashing: PasswordHashing(cost: PasswordCost(memory: 64, passes: 1)), clock: world.time.clock,
            place: { $0 == .people ? "https://people.example" : "https://staff.example" })
        let factors = Factors(
            signIn: signIn, keyRing: world.ring,
            party: RelyingParty(try #require(DeploymentName("people.example")), places: ["https://people.example"]))
        let delivery = Delivery(
            database: world.database, keyRing: world.ring, audit: world.audit,
            settings: DeliverySettings(host: "fleet.example.com", node: "test"), metrics: Metrics(),
            clock: world.time.clock, logger: logger)
        watch = Watch(
            database: world.database, access: world.access, audit: world.audit, delivery: delivery,
            fleet: world.fleet, operations: operations,
            certificates: DeviceCertificates(issuing: world.issuing, clock: world.time.clock), bus: world.bus,
            clock: world.time.clock, addresses: { _, _, _ in [:] }, place: { "https://people.example" })
        services = NorthboundServices(
            database: world.database, access: world.access, audit: world.audit, delivery: delivery,
            fleet: world.fleet, telemetry: telemetry, operations: operations, watch: watch,
            signIn: signIn, factors: factors,
            directories: Directories(
                signIn: signIn, keyRing: world.ring, fetch: { _ in FetchAnswer(status: 404, body: []) },
                permits: { _ in false }),
            oauth: oauth, keyRing: world.ring, authorities: authorities,
            metrics: Metrics(),
            clock: world.time.clock, version: "1.2.3", auditDirectory: nil,
            isDomainUsed: { domain, transaction in
                try transaction.row("SELECT 1 FROM device WHERE tenant = $1 AND domain = $2 LIMIT 1", domain) != nil
            })
        table = RouteTable.all(services)
        people = services.frontDoor(table, listener: .people, caller: .bearer)
        admin = services.frontDoor(table, listener: .admin, caller: .fixed(.localAdministrator))
    }

    // MARK: - Requests

    struct Reply: Sendable {
        let status: Int
        let headers: HTTPFields
        let text: String

        var body: JSONValue { (try? JSONValue(parsing: Array(text.utf8))) ?? .null }
        var items: [JSONValue] {
            if case .array(let items) = body["items"] { items } else { [] }
        }
        /// The body without what differs from request to request.
        var withoutRequest: JSONValue {
            guard case .object(var members) = body else { return .null }
            members["instance"] = nil
            return .object(members)
        }
    }

    /// Sends a request, as the holder of a token or, without one, as the local administrator, and checks that a
    /// successful answer has the shape that the document promises.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, token: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        if body != nil { headers[.contentType] = "application/json" }
        return try await send(method, path, text: body?.canonical ?? "", token: token, headers: headers)
    }

    /// Sends a request whose body is text.
    func send(
        _ method: HTTPRequest.Method, _ path: String, text: String, token: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Reply {
        var fields = headers
        if let token { fields[.authorization] = "Bearer \(token)" }
        let request = Request(
            head: HTTPRequest(method: method, scheme: "https", authority: "x", path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: text)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = CallContext(source: .init(channel: EmbeddedChannel(), logger: logger))
        let door = token == nil ? admin : people
        let response = try await door.respond(to: request, context: context)
        let writer = KeepingWriter()
        try await response.body.write(writer)
        let reply = Reply(
            status: response.status.code, headers: response.headers, text: writer.content)
        if (200..<300).contains(reply.status) { check(reply, method, path) }
        return reply
    }

    private func check(_ reply: Reply, _ method: HTTPRequest.Method, _ path: String) {
        guard let route = route(method, path) else { return }
        let shape: Shape? =
            switch route.success {
            case .json(let shape), .created(let shape): shape
            case .jsonOr(let shape, _): reply.headers[.contentType] == "application/json" ? shape : nil
            case .page(let shape):
                .object([
                    .required("items", .array(of: shape, atMost: 1000), ""), .required("next", .nullable(.text), ""),
                    .optional("count", .count, ""),
                ])
            case .nothing, .streamed: nil
            }
        if case .nothing = route.success { #expect(reply.status == 204 && reply.text.isEmpty, "\(route.operation)") }
        guard let shape else { return }
        #expect(shape.faults(in: reply.body) == [], "\(route.operation): \(reply.text)")
    }

    /// The route that serves a request.
    func route(_ method: HTTPRequest.Method, _ path: String) -> Route? {
        let steps = path.prefix { $0 != "?" }.split(separator: "/")
        let matching = table.routes.filter { route in
            let template = route.path.split(separator: "/")
            return route.method == method && template.count == steps.count
                && zip(template, steps).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        // A fixed step counts before a parameter, as in the router.
        return matching.min { $0.pathParameters.count < $1.pathParameters.count }
    }

    /// The secret of a new token.
    func token(_ role: String, tenant: String = "acme", domain: String? = nil) async throws -> String {
        var body: [String: JSONValue] = ["role": .string(role)]
        if let domain { body["domain"] = .string(domain) }
        if role == "guest" { body["days"] = 30 }
        let reply = try await send(.post, "/api/v1/tenants/\(tenant)/tokens", .object(body))
        return try #require(reply.body["token"]?.string, "\(reply.text)")
    }

    /// Reports a payload for a device as its connection would, and returns when it is acknowledged.
    func report(_ payload: String, device: DeviceID) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (telemetry, tenant) = (telemetry, world.acme)
        try await loop.flatSubmit {
            let promise = loop.makePromise(of: Void.self)
            do {
                let appender = telemetry.appender(for: loop)
                let lane = telemetry.lane(tenant: tenant, rules: SeriesRules(), appender: appender)
                let ingest = telemetry.ingest(device, on: lane)
                _ = try ingest.accept(ByteBuffer(string: payload))
                appender.notify(KeptPromise(promise, appender))
            } catch {
                promise.fail(error)
            }
            return promise.futureResult
        }.get()
    }
}

/// Holds the appender until the log has answered.
private final class KeptPromise: DurabilityWaiter {
    private let promise: EventLoopPromise<Void>
    private let appender: LoopAppender

    init(_ promise: EventLoopPromise<Void>, _ appender: LoopAppender) {
        self.promise = promise
        self.appender = appender
    }

    func durable(through ticket: UInt64) { promise.succeed() }
    func logFailed() { promise.fail(Refusal(.unavailable, "test", "the log failed")) }
}

/// Collects a body; a test may wait for a part of a body that does not end by itself.
final class KeepingWriter: ResponseBodyWriter, Sendable {
    private let text = Mutex("")

    /// What has been written so far.
    var content: String { text.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws { text.withLock { $0 += String(buffer: buffer) } }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
