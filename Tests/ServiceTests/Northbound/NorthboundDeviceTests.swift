import Base
import HTTPTypes
import Testing

@testable import Northbound

/// What people and programs do with devices and models, through the API.
@Suite struct NorthboundDeviceTests {
    private static let devices = "/api/v1/tenants/acme/devices"

    @Test("a device is registered, shown, changed, kept out, replaced and deleted", arguments: TestDatabase.engines)
    func life(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("operator")
            let made = try await api.send(
                .post, Self.devices,
                [
                    "name": "meter-1", "labels": ["site": "Berlin"],
                    "location": ["latitude": .number(52.5), "longitude": 13],
                    "identifiers": [["kind": "serial", "value": "A-1"]],
                ], token: token)
            #expect(made.status == 201)
            let id = try #require(made.body["id"]?.string)
            #expect(made.body["enrolmentToken"]?.string?.hasPrefix("tg_enrol_") == true)
            #expect(made.headers[.location] == "\(Self.devices)/\(id)")

            let shown = try await api.send(.get, "\(Self.devices)/meter-1", token: token)
            #expect(shown.status == 200)
            #expect(shown.headers[.eTag] == "\"1\"")
            #expect(shown.body["presence"]?["online"] == false)
            #expect(!shown.text.contains("tg_enrol_"))

            let changed = try await api.send(
                .patch, "\(Self.devices)/\(id)", ["place": "Hall 3"], token: token, headers: [.ifMatch: "\"1\""])
            #expect(changed.status == 200)
            #expect(changed.headers[.eTag] == "\"2\"")
            let stale = try await api.send(
                .patch, "\(Self.devices)/\(id)", ["place": "Hall 4"], token: token, headers: [.ifMatch: "\"1\""])
            #expect(stale.status == 409)

            for (verb, status) in [("suspend", "suspended"), ("resume", "registered"), ("revoke", "revoked")] {
                let reply = try await api.send(.post, "\(Self.devices)/meter-1/\(verb)", token: token)
                #expect(reply.status == 200, "\(reply.text)")
                #expect(reply.body["status"]?.string == status)
            }
            let replaced = try await api.send(
                .post, "\(Self.devices)/meter-1/replace", ["identifiers": [["kind": "serial", "value": "B-2"]]],
                token: token)
            #expect(replaced.status == 200)
            #expect(replaced.body["id"]?.string == id)
            #expect(replaced.body["status"] == "registered")
            let again = try await api.send(
                .post, "\(Self.devices)/meter-1/enrolment-token?tokenDays=1", token: token)
            #expect(again.status == 200)
            #expect(again.body["id"]?.string == id)
            #expect(try await api.send(.delete, "\(Self.devices)/meter-1", token: token).status == 204)
            #expect(try await api.send(.get, "\(Self.devices)/meter-1", token: token).body["code"] == "device.unknown")
        }
    }

    @Test("a list is filtered, sorted and paged, and its cursors belong to it", arguments: TestDatabase.engines)
    func lists(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            for number in 1...5 {
                _ = try await api.send(
                    .post, Self.devices,
                    ["name": .string("m-\(number)"), "labels": ["odd": .string(number % 2 == 1 ? "yes" : "no")]])
            }
            var names: [String] = []
            var next: String? = ""
            while let cursor = next {
                let after = cursor.isEmpty ? "" : "&after=\(cursor)"
                let page = try await api.send(.get, "\(Self.devices)?limit=2&sort=-name\(after)")
                names += page.items.compactMap { $0["name"]?.string }
                next = page.body["next"]?.string
            }
            #expect(names == ["m-5", "m-4", "m-3", "m-2", "m-1"])
            let odd = try await api.send(.get, "\(Self.devices)?filter=label.odd%20%3D%20yes&count=true")
            #expect(odd.items.count == 3)
            #expect(odd.body["count"] == 3)
            let first = try await api.send(.get, "\(Self.devices)?limit=2")
            let foreign = try await api.send(
                .get, "\(Self.devices)?limit=2&sort=-name&after=\(first.body["next"]?.string ?? "")")
            #expect(foreign.body["code"] == "cursor.invalid")
            #expect(try await api.send(.get, "\(Self.devices)?filter=%28").body["code"] == "filter.invalid")
            #expect(try await api.send(.get, "\(Self.devices)?limit=1001").status == 400)
        }
    }

    @Test("many devices come in as CSV or JSON, all or none, and go out again", arguments: TestDatabase.engines)
    func bulk(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("operator")
            let csv = "name,label.site,serial\r\na-1,Berlin,S-1\r\na-2,\"Bad, Homburg\",S-2\r\n"
            let made = try await api.send(
                .post, "\(Self.devices)/bulk", text: csv, token: token, headers: [.contentType: "text/csv"])
            #expect(made.status == 200, "\(made.text)")
            #expect(made.text.split(separator: "\r\n").count == 3)
            #expect(made.text.hasPrefix("id,name,enrolmentToken,expires\r\n"))
            let more = try await api.send(
                .post, "\(Self.devices)/bulk", text: #"[{"name":"b-1"},{"name":"b-2"}]"#, token: token,
                headers: [.contentType: "application/json"])
            #expect(more.status == 200, "\(more.text)")
            #expect(more.text.split(separator: "\n").count == 2)
            let wrong = try await api.send(
                .post, "\(Self.devices)/bulk", text: "name\nc-1\na-1\n!\n", token: token,
                headers: [.contentType: "text/csv"])
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("line 4"), "\(wrong.text)")
            let noType = try await api.send(.post, "\(Self.devices)/bulk", text: "name\nc-1\n", token: token)
            #expect(noType.body["code"] == "request.mediaType")
            let out = try await api.send(.get, "\(Self.devices)/export", token: token)
            #expect(out.headers[.contentType] == "text/csv; charset=utf-8")
            let lines = out.text.split(separator: "\r\n")
            #expect(lines.count == 5, "none of the refused list is there")
            #expect(out.text.contains("\"site=Bad, Homburg\""))
            let json = try await api.send(
                .get, "\(Self.devices)/export?filter=name%20%3D%20b-*", token: token,
                headers: [.accept: "application/x-ndjson"])
            #expect(json.text.split(separator: "\n").count == 2)
        }
    }

    @Test(
        "a model is written by versions, used by devices, and deleted when none has it", arguments: TestDatabase.engines
    )
    func models(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let token = try await api.token("admin")
            let models = "/api/v1/tenants/acme/models"
            let document: JSONValue = [
                "series": [["name": "power", "unit": "W", "exponent": -1, "lower": 0, "upper": 100_000]],
                "undeclared": "refuse", "allowsAccessToken": true,
            ]
            let made = try await api.send(.put, "\(models)/meter", document, token: token)
            #expect(made.status == 200, "\(made.text)")
            #expect(made.body["version"] == 1)
            let second = try await api.send(.put, "\(models)/meter", ["allowsAccessToken": true], token: token)
            #expect(second.body["version"] == 2)
            #expect(try await api.send(.get, "\(models)/meter?version=1", token: token).body["undeclared"] == "refuse")
            #expect(try await api.send(.put, "\(models)/meter?ifVersion=1", document, token: token).status == 409)
            let wrong = try await api.send(.put, "\(models)/meter", ["undeclared": "refuze"], token: token)
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("/undeclared"))
            _ = try await api.send(.post, Self.devices, ["name": "m-1", "model": "meter"], token: token)
            let access = try await api.send(.post, "\(Self.devices)/m-1/access-token", token: token)
            #expect(access.status == 201, "\(access.text)")
            #expect(access.body["accessToken"]?.string?.count == 32)
            let id = try #require(access.body["id"]?.string)
            #expect(try await api.send(.delete, "\(Self.devices)/m-1/access-tokens/\(id)", token: token).status == 204)
            #expect(try await api.send(.delete, "\(models)/meter", token: token).status == 409)
            _ = try await api.send(.delete, "\(Self.devices)/m-1", token: token)
            #expect(try await api.send(.delete, "\(models)/meter", token: token).status == 204)
            #expect(try await api.send(.get, models, token: token).items.isEmpty)
        }
    }
}
