import Base
import HTTPTypes
import Storage
import Testing
import Trust

@testable import Access
@testable import Northbound

/// Writes that are sent again with their idempotency key.
@Suite struct NorthboundRepetitionTests {
    private static let devices = "/api/v1/tenants/acme/devices"
    private static func key(_ text: String) -> HTTPFields { [.idempotencyKey: text] }

    @Test(
        "a repeated write gets the first answer again, its secret included, and is done once",
        arguments: TestDatabase.engines)
    func replays(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("operator")
            let first = try await api.send(.post, Self.devices, ["name": "m-1"], token: token, headers: Self.key("k1"))
            let second = try await api.send(.post, Self.devices, ["name": "m-1"], token: token, headers: Self.key("k1"))
            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(second.body == first.body)
            #expect(second.headers[.location] == first.headers[.location])
            #expect(second.headers[.idempotencyReplayed] == "true")
            #expect(first.headers[.idempotencyReplayed] == nil)
            #expect(try await api.send(.get, Self.devices, token: token).items.count == 1)
            // What is kept is sealed: the token is not to be found in the database.
            let secret = try #require(first.body["enrolmentToken"]?.string)
            let stored = try await api.world.database.tenant(api.world.acme).read { transaction in
                try transaction.row("SELECT answer FROM repetition WHERE tenant = $1")?.blob(0) ?? []
            }
            #expect(!stored.isEmpty)
            #expect(!String(decoding: stored, as: UTF8.self).contains(secret))
        }
    }

    @Test(
        "a secret of a person or program is shown once, and a repetition says where what it made is",
        arguments: TestDatabase.engines)
    func secrets(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let acme = "/api/v1/tenants/acme"
            for (path, body) in [
                ("tokens", ["role": "viewer"]), ("users", ["address": "ann@example.com", "role": "viewer"]),
                ("clients", ["name": "App", "method": "secret", "flows": ["itself"], "role": "viewer"]),
                (
                    "outlets",
                    ["name": "hook", "kind": "webhook", "settings": ["url": "https://app.example.net/"]]
                ), ("users/ann/link", nil),
            ] as [(String, JSONValue?)] {
                let key = Self.key("key-\(path)")
                let first = try await api.send(.post, "\(acme)/\(path)", body, headers: key)
                #expect((200..<300).contains(first.status), "\(first.text)")
                let second = try await api.send(.post, "\(acme)/\(path)", body, headers: key)
                #expect(second.status == 409 && second.body["code"] == "idempotency.secretShown", "\(second.text)")
                let place = first.headers[.location]
                #expect(place.map { second.text.contains($0) } ?? true)
            }
            #expect(try await api.send(.get, "\(acme)/clients").items.count == 1, "each was done once")
            let shows = Set(api.table.routes.filter(\.showsSecret).map(\.operation))
            #expect(
                shows.isSuperset(of: [
                    "createToken", "createClient", "replaceClientSecret", "renewUserLink", "createSetUpLink",
                    "enrolAuthenticator", "confirmFactor", "finishPasskey", "makeRecoveryCodes", "createOutlet",
                ]), "\(shows)")
        }
    }

    @Test("what one credential was told is told to no other of the same principal", arguments: TestDatabase.engines)
    func credentials(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let world = OAuthWorld(api: api)
            let person = try await world.person(role: "operator")
            var tokens: [String] = []
            for _ in 0..<2 {
                tokens.append(
                    try await api.world.database.platform.write { tx in
                        try api.world.access.open(
                            CredentialDraft(.access, of: person.id, tenant: person.tenant, name: "program"), in: tx
                        ).secret.text
                    })
            }
            let body: JSONValue = ["name": "m-1"]
            let first = try await api.send(.post, Self.devices, body, token: tokens[0], headers: Self.key("k"))
            #expect(first.status == 201)
            #expect(
                try await api.send(.post, Self.devices, body, token: tokens[0], headers: Self.key("k")).text
                    == first.text)
            let other = try await api.send(.post, Self.devices, body, token: tokens[1], headers: Self.key("k"))
            #expect(other.status == 422 && other.body["code"] == "idempotency.keyReused")
        }
    }

    @Test("one key for two different requests is refused", arguments: TestDatabase.engines)
    func reused(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("operator")
            _ = try await api.send(.post, Self.devices, ["name": "m-1"], token: token, headers: Self.key("k1"))
            let other = try await api.send(.post, Self.devices, ["name": "m-2"], token: token, headers: Self.key("k1"))
            #expect(other.status == 422)
            #expect(other.body["code"] == "idempotency.keyReused")
            let elsewhere = try await api.send(
                .post, "\(Self.devices)/m-1/suspend", token: token, headers: Self.key("k1"))
            #expect(elsewhere.status == 422)
            // Another caller's keys are its own.
            let neighbour = try await api.token("operator")
            let reply = try await api.send(
                .post, Self.devices, ["name": "m-3"], token: neighbour, headers: Self.key("k1"))
            #expect(reply.status == 201)
        }
    }

    @Test("a refused write may be tried again under its key", arguments: TestDatabase.engines)
    func refused(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let body: JSONValue = ["name": "m-1", "model": "meter"]
            #expect(try await api.send(.post, Self.devices, body, headers: Self.key("k")).status == 400)
            _ = try await api.send(.put, "/api/v1/tenants/acme/models/meter", [:])
            #expect(try await api.send(.post, Self.devices, body, headers: Self.key("k")).status == 201)
        }
    }

    @Test("equal writes at the same moment are done once", arguments: TestDatabase.engines)
    func concurrent(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let replies = try await withThrowingTaskGroup(of: NorthboundFixture.Reply.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await api.send(.post, Self.devices, ["name": "m-1"], headers: Self.key("same"))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 201 })
            #expect(Set(replies.map(\.text)).count == 1)
            #expect(replies.count { $0.headers[.idempotencyReplayed] == nil } == 1)
        }
    }

    @Test("after a day a key is forgotten; one that was cut off is never done again", arguments: TestDatabase.engines)
    func forgotten(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            _ = try await api.send(.post, Self.devices, ["name": "m-1"], headers: Self.key("k"))
            // As a server leaves it that dies in the middle of a request.
            try await api.world.database.tenant(api.world.acme).write { transaction -> Void in
                try transaction.execute("UPDATE repetition SET answer = NULL WHERE tenant = $1")
            }
            let cut = try await api.send(.post, Self.devices, ["name": "m-1"], headers: Self.key("k"))
            #expect(cut.status == 409)
            #expect(cut.body["code"] == "idempotency.unfinished")
            api.world.time.advance(by: .seconds(86_401))
            #expect(try await api.services.repetitions.prune() == 1)
            let later = try await api.send(.post, Self.devices, ["name": "m-1"], headers: Self.key("k"))
            #expect(later.body["code"] == "device.nameTaken")
        }
    }

    @Test("a key that is no key is refused", arguments: ["", "a b", "é", String(repeating: "k", count: 129)])
    func wrongKey(key: String) async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            var fields: HTTPFields = [:]
            fields[.idempotencyKey] = key
            let reply = try await api.send(.post, Self.devices, ["name": "m-1"], headers: fields)
            #expect(reply.body["code"] == "idempotency.keyInvalid", "\(reply.text)")
        }
    }
}
