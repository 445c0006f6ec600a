import Base
import Testing

@testable import Fleet
@testable import Southbound

/// What a device is wanted to be, beside hawkBit's Direct Device Integration.
@Suite("Desired documents of update clients")
struct SouthboundDDIDesiredTests {
    @Test("a poll names what is desired until the device has fetched it", arguments: TestDatabase.engines)
    func desired(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await DDIDevice(fixture)
            try await device.introduce()
            for version in 1...2 as ClosedRange<Int64> {
                _ = try await fixture.fleet.setDesired(
                    ["apn": .integer(version)], of: "meter-1", in: fixture.acme, by: SouthboundFixture.admin)
                let link = try #require(try await device.json("")["_links"]?["desired"]?["href"]?.string)
                #expect(link.hasSuffix(device.base + "/desired"))
                let document = try await device.json("/desired")
                #expect(document["document"] == ["apn": .integer(version)] && document["signed"]?.string != nil)
                #expect(try await device.links().isEmpty)
            }
            for (method, number) in [("POST", 1), ("PUT", 2)] as [(String, Int64)] {
                let told = try await device.send(method, "/reported", #"{"apn":\#(number)}"#)
                #expect(told.status == 200)
                let reported = try await fixture.fleet.document(
                    .reported, of: "meter-1", in: fixture.acme, by: SouthboundFixture.admin)
                #expect(reported.members["apn"] == .integer(number))
            }
            for wrong in ["", "[]", "{"] {
                #expect(try await device.send("POST", "/reported", wrong).status == 400)
            }
            #expect(try await device.send("POST", "/desired", "{}").status == 405)
            #expect(try await device.get("/reported").status == 405)
        }
    }

    @Test("a gateway's token opens no device's desired document")
    func gateway() async throws {
        try await SouthboundFixture.with(.sqlite) { fixture in
            let model = try await fixture.fleet.createModel(
                try #require(Name("tokens")), ModelDocument(allowsAccessToken: true), in: fixture.acme,
                by: SouthboundFixture.admin)
            _ = try await fixture.register("gw-1") { $0.model = model.name.text }
            let token = try await fixture.fleet.createGatewayToken(in: fixture.acme, by: SouthboundFixture.admin)
            let client = try await SouthboundClient.connect(port: fixture.device)
            let base = "/acme/controller/v1/gw-1"
            let headers = ["Authorization: GatewayToken \(token)"]
            #expect(try await client.ask("GET", base, headers: headers)?.status == 200)
            #expect(try await client.ask("GET", base + "/desired", headers: headers)?.status == 401)
        }
    }
}
