import Access
import Base
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Northbound

/// The way of a request through the front door, with a gatekeeper that knows one token and one tenant.
@Suite struct FrontDoorTests {
    private static func slug(_ text: String) throws -> TenantSlug {
        try #require(TenantSlug(text))
    }

    private static func tenant(_ slug: TenantSlug) -> Tenant {
        Tenant(
            id: TenantID(high: 1, low: 1), slug: slug, name: slug.text, status: .active, plan: Plan.standardID,
            rootDomain: DomainID(high: 1, low: 2), created: Timestamp(microseconds: 0), demo: false)
    }

    private static let gatekeeper = Gatekeeper(
        authenticate: { bearer, _ in
            guard bearer == "good" else { throw Refusal(.unauthenticated, "token.invalid", "No such token.") }
            return .localAdministrator
        },
        admit: { _, _, slug in
            guard slug.text == "acme" else { throw Gatekeeper.notHere }
            return tenant(slug)
        },
        count: { _, _ in }, countRefused: { _, _ in })

    private static let table = RouteTable([
        Route(
            .get, "/api/v1/tenants/{tenant}/devices", "listDevices", "Lists.", needs: .deviceRead,
            query: Parameter.paging, success: .page(.any)
        ) { call in .page([.integer(Int64(call.limit)), .string(call.tenant.slug.text)], next: nil) },
        Route(
            .post, "/api/v1/tenants/{tenant}/devices", "registerDevice", "Registers.", needs: .deviceManage,
            body: .json(ShapeTests.shape), success: .created(.any)
        ) { call in .created(["name": .string(try call.body.name("name").text)], at: "/x") },
        Route(
            .delete, "/api/v1/tenants/{tenant}/devices/{device}", "deleteDevice", "Deletes.", needs: .deviceRevoke,
            success: .nothing
        ) { call in
            throw Refusal(.limited, "a.b", "Wait.", detail: "for the log", retryAfter: .milliseconds(1500))
        },
        .unauthenticated("/api/v1/version", "version", "Says the version.", success: .json(.any)) { _ in
            .ok(["version": "1"])
        },
    ])

    private struct Reply {
        let status: Int
        let headers: HTTPFields
        let body: JSONValue
        let text: String
    }

    private static func send(
        _ method: HTTPRequest.Method, _ path: String, token: String? = "good", _ body: String = "",
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        let door = FrontDoor(
            table, listener: "test", gatekeeper: gatekeeper, caller: .bearer, repetitions: nil, metrics: Metrics())
        var fields = headers
        if let token { fields[.authorization] = "Bearer \(token)" }
        let request = Request(
            head: HTTPRequest(method: method, scheme: "https", authority: "x", path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: body)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = CallContext(source: .init(channel: EmbeddedChannel(), logger: logger))
        let response = try await door.respond(to: request, context: context)
        let collected = CollectingWriter()
        try await response.body.write(collected)
        let text = collected.text.withLock { $0 }
        return Reply(
            status: response.status.code, headers: response.headers,
            body: (try? JSONValue(parsing: Array(text.utf8))) ?? .null, text: text)
    }

    @Test("a request with a token reaches its handler and gets JSON")
    func reaches() async throws {
        let reply = try await Self.send(.get, "/api/v1/tenants/acme/devices?limit=7")
        #expect(reply.status == 200)
        #expect(reply.body == ["items": [7, "acme"], "next": .null])
        #expect(reply.headers[.contentType] == "application/json")
        #expect(reply.headers[.cacheControl] == "no-store")
        #expect(reply.headers[.xContentTypeOptions] == "nosniff")
        #expect(reply.headers[.requestID]?.count == 32)
    }

    @Test("a public route needs no token")
    func open() async throws {
        #expect(try await Self.send(.get, "/api/v1/version", token: nil).status == 200)
    }

    @Test(
        "a caller without a valid token learns only that one is needed",
        arguments: [nil, "bad"] as [String?], ["/api/v1/tenants/acme/devices?x=1", "/api/v1/tenants/other/devices"])
    func unauthenticated(token: String?, path: String) async throws {
        let reply = try await Self.send(.get, path, token: token)
        #expect(reply.status == 401)
        #expect(reply.headers[.wwwAuthenticate] == "Bearer")
        #expect(reply.headers[.contentType] == "application/problem+json")
        #expect(reply.body["code"] == (token == nil ? "token.missing" : "token.invalid"))
    }

    @Test("a tenant that is absent, one that is not the caller's and an unknown address give the same answer")
    func notHere() async throws {
        let replies = [
            try await Self.send(.get, "/api/v1/tenants/other/devices"),
            try await Self.send(.get, "/api/v1/tenants/other/devices?limit=wrong"),
            try await Self.send(.get, "/api/v1/tenants/NOT%20A%20SLUG/devices"),
            try await Self.send(.post, "/api/v1/tenants/other/devices", "not json"),
            try await Self.send(.get, "/api/v1/nothing"),
            try await Self.send(.get, "/"),
        ]
        for reply in replies {
            #expect(reply.status == 404)
            // Nothing but the request's identifier differs.
            let id = try #require(reply.headers[.requestID])
            #expect(
                reply.text.replacing(id, with: "")
                    == replies[0].text.replacing(replies[0].headers[.requestID] ?? "", with: ""))
            #expect(reply.body["instance"] == .string("urn:tidegate:request:" + id))
        }
    }

    @Test(
        "a wrong request is refused with every wrong place",
        arguments: [
            ("?limit=0", ["limit"]), ("?limit=1001&after=x&foo=1", ["limit", "foo"]), ("?limit=1&limit=2", ["limit"]),
            ("?limit=%zz", ["limit"]), ("?%ff=1", ["%ff"]), ("?limit=1e3", ["limit"]),
        ] as [(String, [String])])
    func badQuery(query: String, places: [String]) async throws {
        let reply = try await Self.send(.get, "/api/v1/tenants/acme/devices" + query)
        #expect(reply.status == 400)
        guard case .array(let faults) = reply.body["faults"] else { throw Refusal(.invalid, "test", reply.text) }
        #expect(faults.map { $0["place"]?.string } == places)
    }

    @Test(
        "a wrong body is refused with the place in it",
        arguments: [
            ("{", ""), ("[]", ""), ("", "/name"), ("{\"name\":5}", "/name"),
            ("{\"name\":\"a\",\"nmae\":\"b\"}", "/nmae"),
            ("{\"name\":\"a\",\"labels\":{\"x\":[1,2,}}", "/labels/x/2"),
        ] as [(String, String)])
    func badBody(body: String, place: String) async throws {
        let reply = try await Self.send(.post, "/api/v1/tenants/acme/devices", body)
        #expect(reply.status == 400)
        #expect(reply.body["code"] == "request.invalid")
        guard case .array(let faults) = reply.body["faults"] else { throw Refusal(.invalid, "test", reply.text) }
        #expect(faults.first?["place"] == .string(place))
    }

    @Test("a body that is too large, nested too deep or of another type is refused")
    func bounds() async throws {
        let path = "/api/v1/tenants/acme/devices"
        let large = try await Self.send(
            .post, path, String(repeating: " ", count: NorthboundLimits.bodyBytes + 1))
        #expect(large.status == 413)
        let announced = try await Self.send(.post, path, "", headers: [.contentLength: "99999999999"])
        #expect(announced.status == 413)
        let deep = try await Self.send(.post, path, String(repeating: "[", count: 100))
        #expect(deep.status == 400)
        let form = try await Self.send(.post, path, "name=a", headers: [.contentType: "text/plain"])
        #expect(form.body["code"] == "request.mediaType")
    }

    @Test("a request that could mean two things is refused")
    func ambiguous() async throws {
        let host = try #require(HTTPField.Name("Host"))
        let path = "/api/v1/tenants/acme/devices"
        for (name, value, code) in [
            (host, "evil.example", "request.host"), (.contentEncoding, "gzip", "request.encoding"),
            (.contentEncoding, "identity, br", "request.encoding"),
        ] {
            let reply = try await Self.send(.post, path, #"{"name":"m-1"}"#, headers: [name: value])
            #expect(reply.status == 400 && reply.body["code"]?.string == code, "\(value)")
        }
        let plain = try await Self.send(
            .post, path, #"{"name":"m-1"}"#, headers: [.contentEncoding: "identity"])
        #expect(plain.status == 201)
    }

    @Test("a good body is read")
    func goodBody() async throws {
        let reply = try await Self.send(
            .post, "/api/v1/tenants/acme/devices", "{\"name\":\"m-1\"}",
            headers: [.contentType: "application/json; charset=utf-8"])
        #expect(reply.status == 201)
        #expect(reply.headers[.location] == "/x")
        #expect(reply.body == ["name": "m-1"])
    }

    @Test("a refusal keeps its log's words to itself and says when to come back")
    func refusal() async throws {
        let reply = try await Self.send(.delete, "/api/v1/tenants/acme/devices/m-1")
        #expect(reply.status == 429)
        #expect(reply.headers[.retryAfter] == "2")
        #expect(!reply.text.contains("for the log"))
    }

    @Test("HEAD answers without a body, OPTIONS with the methods, other methods are refused")
    func methods() async throws {
        let path = "/api/v1/tenants/acme/devices"
        let head = try await Self.send(.head, path)
        #expect(head.status == 200 && head.text.isEmpty)
        let options = try await Self.send(.options, path, token: nil)
        #expect(options.status == 204)
        #expect(options.headers[.allow] == "GET, HEAD, OPTIONS, POST")
        let put = try await Self.send(.put, path)
        #expect(put.status == 405)
        #expect(put.headers[.allow] == "GET, HEAD, OPTIONS, POST")
        #expect(put.body["code"] == "method.notAllowed")
    }
}

private final class CollectingWriter: ResponseBodyWriter, Sendable {
    let text = Mutex("")

    func write(_ buffer: ByteBuffer) async throws { text.withLock { $0 += String(buffer: buffer) } }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
