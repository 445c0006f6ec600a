import Access
import Base
import Delivery
import HTTPTypes
import Storage
import Testing

@testable import Northbound

/// What one tenant has of everything that a path, a body or a query can name, by kind; each under all its spellings.
struct IsolationThings: Sendable {
    private var spellings: [String: [String]]
    private let mark: String

    /// The kinds that there are.
    var kinds: Set<String> { Set(spellings.keys) }

    /// How a thing is named: by identifier first, then by what people call it.
    subscript(kind: String, spelling: Int = 0) -> String {
        guard let texts = spellings[kind] else {
            Issue.record("\(kind): there is nothing of this kind to try with; add it to IsolationThings")
            return "missing"
        }
        return texts[min(spelling, texts.count - 1)]
    }

    /// In how many ways a thing of this kind is named.
    func count(_ kind: String) -> Int { spellings[kind]?.count ?? 1 }

    /// Adds a thing of another kind.
    mutating func add(_ kind: String, _ texts: String...) { spellings[kind] = texts }

    /// The same under identifiers and names that nothing has.
    var absent: IsolationThings {
        let nowhere = PrincipalID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001).text
        return IsolationThings(
            spellings: spellings.mapValues { texts in
                texts.map { $0.count == 32 ? nowhere : renamed($0) }
            }, mark: "nobody")
    }

    private func renamed(_ text: String) -> String {
        text.hasPrefix(mark) ? "nobody" + text.dropFirst(mark.count) : text
    }

    /// Makes one thing of each kind in a tenant; `mark`, of six letters, begins every name.
    static func make(_ api: NorthboundFixture, in slug: String, _ mark: String) async throws -> IsolationThings {
        let base = "/api/v1/tenants/\(slug)"
        func make(
            _ path: String, _ body: JSONValue, _ method: HTTPRequest.Method = .post, as name: String = "id"
        ) async throws -> String {
            let reply = try await api.send(method, base + path, body)
            return try #require(reply.body[name]?.string, "\(path): \(reply.text)")
        }
        func first(_ path: String) async throws -> String {
            let reply = try await api.send(.get, base + path)
            return try #require(reply.items.first?["id"]?.string, "\(path): \(reply.text)")
        }
        let name = { (kind: String) -> JSONValue in .string("\(mark)-\(kind)") }
        var all: [String: [String]] = [:]
        let model = try await api.send(.put, "\(base)/models/\(mark)-model", ["allowsAccessToken": true])
        all["model"] = [model.body["id"]?.string, "\(mark)-model"].compactMap(\.self)
        let role = try await api.send(.put, "\(base)/roles/\(mark)-role", ["permissions": ["device.read"]])
        all["role"] = [role.body["id"]?.string, "\(mark)-role"].compactMap(\.self)
        all["domain"] = [try await make("/domains", ["name": name("domain")]), "\(mark)-domain"]
        _ = try await make("/domains", ["name": "moved"])
        _ = try await api.send(.patch, "\(base)/domains/moved", ["parent": name("domain")])
        all["move"] = [try await first("/moves")]
        let device = try await make("/devices", ["name": name("device"), "model": name("model")])
        all["device"] = [device, "\(mark)-device"]
        all["accessToken"] = [try await make("/devices/\(device)/access-token", [:])]
        let operation = try await make(
            "/operations", ["type": "reboot", "target": ["devices": [["device": .string(device)]]]])
        all["operation"] = [operation]
        all["task"] = [try await first("/operations/\(operation)/tasks")]
        all["edit"] = [
            try await make(
                "/desired-edits", ["devices": [["device": .string(device)]], "change": ["interval": 5]])
        ]
        let user = try await api.send(
            .post, "\(base)/users", ["address": .string("\(mark)-user@example.com"), "role": "viewer"])
        all["user"] = [
            try #require(user.body["user"]?["id"]?.string, "\(user.text)"), "\(mark)-user@example.com",
        ]
        let account = try #require(all["user"]?.first)
        let tenant = try #require(TenantSlug(slug).flatMap { api.world.access.directory.tenant($0) }).id
        let session = CredentialDraft(
            .session, of: try #require(PrincipalID(text: account)), tenant: tenant, name: "session")
        all["session"] = [
            try await api.world.database.platform.write { try api.world.access.open(session, in: $0) }.info.id.text
        ]
        let person = try await OAuthWorld(api: api).person("\(mark)-principal", tenant: slug)
        all["principal"] = [person.id.text, "\(mark)-principal"]
        all["group"] = [try await make("/groups", ["name": name("group")]), "\(mark)-group"]
        _ = try await api.send(.put, "\(base)/groups/\(mark)-group/members/\(account)")
        all["grant"] = [try await make("/grants", ["principal": .string(account), "role": name("role")])]
        all["change"] = [
            try await make(
                "/changes", ["kind": "role.put", "change": ["name": "x", "permissions": []], "reason": "x"])
        ]
        all["share"] = [
            try await make(
                "/shares",
                [
                    "to": "platform", "holder": "admin", "role": "viewer",
                    "ends": .string((api.world.time.now + .seconds(86_400)).rfc3339),
                ])
        ]
        all["releaseLine"] = [
            try await make("/release-lines", ["component": "system", "to": "platform"])
        ]
        all["token"] = [try await make("/tokens", ["role": "viewer"])]
        let outlet = try await make(
            "/outlets",
            ["name": name("outlet"), "kind": "webhook", "settings": ["url": "https://hook.example.net/"]])
        all["outlet"] = [outlet, "\(mark)-outlet"]
        let way = try await api.services.delivery.outlet(outlet, of: tenant).id
        all["delivery"] = [
            try await api.world.database.tenant(tenant).write { transaction in
                try api.services.delivery.send(
                    .webhook(outlet: way, event: "secret", body: [:]), tenant: tenant, in: transaction
                ).text
            }
        ]
        let directory = try await make(
            "/directories/\(mark)-directory",
            ["openid": ["issuer": "https://id.example.net", "client": "c"]], .put)
        all["directory"] = ["\(mark)-directory", directory]
        all["client"] = [
            try await make(
                "/clients", ["name": "c", "method": "secret", "flows": ["itself"], "role": "viewer"], as: "clientId")
        ]
        let artifact = try await api.upload("\(mark)-artifact", Array(mark.utf8), tenant: slug)
        all["artifact"] = [try #require(artifact.body["id"]?.string, "\(artifact.text)")]
        _ = try await api.send(.put, "\(base)/update-keys/\(mark)-key", ["pem": .string(Self.pem), "reason": "x"])
        all["updateKey"] = ["\(mark)-key"]
        all["release"] = [
            try await make(
                "/releases",
                ["component": name("component"), "version": "1", "artifacts": [.string(all["artifact"]?.first ?? "")]])
        ]
        _ = try await make("/releases/\(all["release"]?.first ?? "")/publish", [:])
        all["draft"] = [try await make("/releases", ["component": name("component"), "version": "2"])]
        all["component"] = ["\(mark)-component"]
        all["campaign"] = [
            try await make(
                "/campaigns",
                [
                    "release": .string(all["release"]?.first ?? ""),
                    "target": ["devices": [["device": .string(device)]]],
                ])
        ]
        all["alert"] = [try await api.alert(of: tenant)]
        all["alertRule"] = [
            try await make("/alert-rules", ["name": name("rule"), "receivers": [["role": name("role")]]]),
            "\(mark)-rule",
        ]
        return IsolationThings(spellings: all, mark: mark)
    }

    /// A public key of nobody's.
    static let pem = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOA7z8Awuq4sH21BK1quvx5JwmTQI
        FYJzeSFOepCvTf+2QmzmY5ItmFjKIy5NSWILL4KQ9K+iEzEOyPx2TXHfUQ==
        -----END PUBLIC KEY-----

        """
}
