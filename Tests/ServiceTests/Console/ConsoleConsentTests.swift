import Base
import Foundation
import HTTPTypes
import Testing
import Trust

@testable import Console
@testable import Northbound
@testable import OAuth

/// The pages on which a person lets a program in.
@Suite struct ConsoleConsentTests {
    private static func code(_ reply: ConsoleFixture.Reply) throws -> [String: String] {
        let address = try #require(reply.text.firstMatch(of: /href="(https:\/\/app\.example\/cb\?[^"]+)"/)?.1)
        let plain = address.replacing("&amp;", with: "&").replacing("&#x3D;", with: "=")
        return try #require(FormText.values(plain.drop { $0 != "?" }.dropFirst()))
    }

    @Test("a person sees who asks for what, lets it in, and is sent back with a code", arguments: TestDatabase.engines)
    func consent(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { console in
            let world = OAuthWorld(api: console.api)
            let client = try await world.client("secret", ["code"], ["name": "<b>App</b>"])
            let verifier = ProofKey.makeVerifier()
            let query = world.query(client.id, verifier)
            let page = try await console.get("/consent?" + query, as: "person")
            #expect(page.status == 200 && page.text.contains("app.example") && page.text.contains("device.read"))
            #expect(page.text.contains("&lt;b&gt;App") && !page.text.contains("<b>App"))
            #expect(try await console.get("/consent?" + query).status == 303, "sign in first")
            let done = try await console.post("/consent", [("subject", query), ("answer", "yes")], as: "person")
            let reply = try await world.exchange(client, Self.code(done)["code"] ?? "", verifier)
            #expect(reply.status == 200, "\(reply.text)")
            let no = try await console.post("/consent", [("subject", query), ("answer", "no")], as: "person")
            #expect(try Self.code(no)["error"] == "access_denied")
            // A form from elsewhere, or with another form's token, lets nobody in.
            let foreign = try await console.post(
                "/consent", [("subject", query), ("answer", "yes")], as: "person", token: "x")
            #expect(foreign.status == 403)
            let evil = world.query(client.id, verifier, ["redirect_uri": "https://evil.example/"])
            let refused = try await console.get("/consent?" + evil, as: "person")
            #expect(refused.status == 400 && !refused.text.contains("evil"))
            // A token is no person.
            let admin = try await console.post("/consent", [("subject", query), ("answer", "yes")], as: "admin")
            #expect(admin.status == 403)
        }
    }

    @Test("a person types a program's code and lets it in", arguments: TestDatabase.engines)
    func connect(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { console in
            let world = OAuthWorld(api: console.api)
            let begun = try await world.form("/oauth/device_authorization", ["client_id": "tidegate"])
            let code = begun.text("user_code") ?? ""
            #expect(try await console.get("/connect", as: "person").status == 200)
            #expect(try await console.get("/connect?code=BCDF-GHJK", as: "person").status == 422)
            let page = try await console.get("/connect?code=" + code, as: "person")
            #expect(page.status == 200 && page.text.contains("tidegate (command line)"))
            try await world.prove(console.person())
            let done = try await console.post("/connect", [("subject", code), ("answer", "yes")], as: "person")
            #expect(done.status == 200 && done.text.contains("let in"))
            world.api.world.time.advance(by: .seconds(10))
            let tokens = try await world.form(
                "/oauth/token",
                [
                    "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "tidegate",
                    "device_code": begun.text("device_code") ?? "",
                ])
            #expect(tokens.status == 200, "\(tokens.text)")
            let again = try await console.post("/connect", [("subject", code), ("answer", "yes")], as: "person")
            #expect(again.status == 404)
        }
    }
}
