import Base
import HTTPTypes
import Storage
import Testing

@testable import Northbound

/// Walks the route table under the caller's own tenant, naming another tenant's things wherever something is named.
@Suite struct NorthboundOwnSlugTests {
    /// Texts of bodies and queries that name nothing of a tenant's; `change` and `filter` are tried by hand.
    static let plain: Set<String> = [
        "", "address", "addresses", "after", "attributes", "authorities", "base", "certificate", "change", "client",
        "code", "component", "components", "description", "ends", "expires", "filter", "from", "group",
        "groupAttribute",
        "groupFilter", "groupsClaim", "holder", "issuer", "keys", "kind", "labels", "mailAttribute", "name",
        "nameAttribute", "objectKind", "place", "plan", "reason", "redirects", "scope", "searcher", "secret", "seen",
        "series",
        "server", "settings", "step", "timeZone", "to", "unit", "until", "user", "value",
        "input", "title", "zone", "starts", "hardware", "notes", "pem", "supportEnds", "version",
        "mail", "note", "sms", "customTaskSchema", "desiredSchema",
    ]

    private struct Walk {
        let api: NorthboundFixture
        let token: String

        func send(_ call: IsolationSlot.Call) async throws -> NorthboundFixture.Reply {
            // So that no rate is exceeded.
            api.world.time.advance(by: .milliseconds(10))
            var headers: HTTPFields = [:]
            headers[.contentType] = call.mediaType
            return try await api.send(call.method, call.path, text: call.text, token: token, headers: headers)
        }

        /// What an answer says, without the request's identifier and without what was asked for.
        func words(_ reply: NorthboundFixture.Reply, asked texts: [String]) -> String {
            var text = reply.body == .null ? reply.text : reply.withoutRequest.canonical
            for asked in texts { text = text.replacing(asked, with: "…") }
            return "\(reply.status) \(text)"
        }

        /// Everything that a tenant has, as its lists and records tell it.
        func inventory(_ slug: String, _ things: IsolationThings) async throws -> [String: String] {
            var all: [String: String] = [:]
            for route in api.table.routes where route.isInTenant && route.method == .get {
                // The log grows by what others read, and a live stream does not end.
                if route.operation.contains("Audit") || route.operation.contains("Telemetry") { continue }
                var path = route.path.replacing("{tenant}", with: slug)
                for name in IsolationSlots.parameters(route) {
                    path = path.replacing("{\(name)}", with: things[IsolationSlots.kind(of: name, in: route)])
                }
                let reply = try await api.send(.get, path)
                #expect(reply.status == 200, "\(route.operation): \(reply.text)")
                all[route.operation] = reply.text
            }
            return all
        }
    }

    @Test(
        "another tenant's identifiers and names are answered like absent ones, wherever they are named",
        arguments: TestDatabase.engines)
    func foreign(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let own = try await IsolationThings.make(api, in: "acme", "myself")
            let theirs = try await IsolationThings.make(api, in: "rival", "theirs")
            let (slots, absent) = (IsolationSlots(api.table, own: own), theirs.absent)
            let walk = Walk(api: api, token: try await api.token("owner"))
            let before = try await walk.inventory("rival", theirs)
            var tried = 0
            for slot in slots.queries + slots.bodies + slots.hidden + slots.paths {
                for spelling in 0..<(slot.kinds.map(theirs.count).max() ?? 1) {
                    func texts(_ things: IsolationThings) -> [String: String] {
                        Dictionary(slot.kinds.map { ($0, things[$0, spelling]) }) { first, _ in first }
                    }
                    let (named, nothing) = (texts(theirs), texts(absent))
                    let expected = try await walk.send(slot.call(nothing))
                    let reply = try await walk.send(slot.call(named))
                    let what = "\(slot.label) \(named.values.joined(separator: " "))"
                    tried += 1
                    if slot.refuses {
                        #expect((400..<500).contains(expected.status), "\(what): \(expected.text)")
                        #expect(expected.text.contains(/[Nn]o (such|domain|model)/), "\(what): \(expected.text)")
                    }
                    // What was made by a name has an identifier and a time of its own.
                    if slot.makes {
                        #expect(reply.status == expected.status, "\(what)")
                        continue
                    }
                    #expect(
                        walk.words(reply, asked: Array(named.values))
                            == walk.words(expected, asked: Array(nothing.values)), "\(what)")
                }
            }
            #expect(tried > 150)
            let after = try await walk.inventory("rival", theirs)
            for (operation, text) in before { #expect(after[operation] == text, "\(operation) tells something else") }
        }
    }

    @Test("the same requests with one's own things are answered otherwise", arguments: [TestDatabase.Engine.sqlite])
    func own(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let slots = IsolationSlots(api.table, own: try await IsolationThings.make(api, in: "acme", "myself"))
            let walk = Walk(api: api, token: try await api.token("owner"))
            // What reads first, what deletes last, and of these the deepest first; to revoke a device ends its tokens.
            func order(_ route: Route) -> Int {
                if route.operation == "endAccessToken" { return 0 }
                return route.method == .get ? 0 : route.method == .delete ? 1000 - route.path.count : 1
            }
            for route in slots.routes.sorted(by: { order($0) < order($1) })
            where route.operation != "watchTelemetry" && !IsolationSlots.parameters(route).isEmpty {
                let reply = try await walk.send(slots.plain(route))
                #expect(reply.status != 404, "\(route.operation): \(reply.text)")
            }
        }
    }

    @Test("every text of every body and query is known to name something of a tenant's or nothing")
    func known() async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            var unknown: Set<String> = []
            for route in api.table.routes where route.isInTenant {
                var texts = route.query.flatMap { IsolationSlots.texts($0.shape, [$0.name]) }
                if case .json(let shape) = route.body { texts += IsolationSlots.texts(shape) }
                for (way, form) in texts {
                    let name = way.last { $0 != "*" } ?? ""
                    if let form, IsolationSlots.kind(of: way, form) != nil { continue }
                    if !Self.plain.contains(name) { unknown.insert(name) }
                }
            }
            #expect(
                unknown.isEmpty, "\(unknown.sorted()): say in IsolationSlots.kind what they name, or that it is nothing"
            )
        }
    }
}
