import Base
import Fleet
import Operations
import Testing

@testable import Southbound

/// What a device has installed, and what it says of that when nobody waits for it any more.
@Suite("What update clients have installed")
struct SouthboundInstalledTests {
    @Test(
        "the files of what was installed last are there, those of what was before are not named",
        arguments: TestDatabase.engines)
    func files(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let device = try await DDIDevice(south)
            try await device.introduce()
            var numbers: [Int64] = []
            for version in ["2.0", "3.0"] {
                try await south.install(
                    try await south.release([("app.swu", "image \(version)")], version: version), on: device)
                numbers.append(try await device.number())
                #expect(try await device.say("closed", "success", of: numbers[numbers.count - 1]) == 200)
            }
            func artifact(_ number: Int64) async throws -> JSONValue {
                let installed = try await device.json("/installedBase/\(number)")
                guard case .array(let chunks)? = installed["deployment"]?["chunks"],
                    case .array(let files)? = chunks.first?["artifacts"], let file = files.first
                else { throw Refusal(.invalid, "test", "no file") }
                return file
            }
            let link = try #require(try await artifact(numbers[1])["_links"]?["download"]?["href"]?.string)
            let path = link.replacing("https://localhost\(device.base)", with: "")
            #expect(try await device.get(path).body == "image 3.0")
            #expect(try await device.get(path + ".MD5SUM").status == 200)
            let former = try await artifact(numbers[0])
            #expect(former["_links"] == nil && former["size"]?.integer == 9)
            #expect(try await device.get("/softwaremodules/\(numbers[0])/artifacts/app.swu").status == 404)
        }
    }

    @Test("the poll with nothing to do names what is installed, in the same bytes each time")
    func emptyPoll() async throws {
        try await SouthboundFixture.with { south in
            let device = try await DDIDevice(south)
            for version in ["2.0", "3.0"] {
                try await south.install(
                    try await south.release([("app.swu", "image")], version: version), on: device)
                let number = try await device.number()
                #expect(try await device.say("closed", "success", of: number) == 200)
                try await device.introduce()
                for _ in 0..<3 {
                    let body = try await device.get("").body
                    let poll = try JSONValue(parsing: Array(body.utf8))
                    let sleep = try #require(poll["config"]?["polling"]?["sleep"]?.string)
                    #expect(
                        body
                            == #"{"_links":{"installedBase":{"href":"https://localhost\#(device.base)/installedBase/\#(number)"}},"config":{"polling":{"sleep":"\#(sleep)"}}}"#
                    )
                }
            }
        }
    }

    @Test(
        "a late end is kept and counted, and a late success says what the device has", arguments: TestDatabase.engines)
    func late(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let device = try await DDIDevice(south)
            try await south.install(try await south.release([("app.swu", "image")]), on: device)
            let number = try await device.number()
            _ = try await device.json("/deploymentBase/\(number)")
            #expect(try await device.say("closed", "failure", of: number) == 200)
            func version() async throws -> String? {
                try await south.fleet.show("meter-1", in: south.acme, by: SouthboundFixture.admin)
                    .device.components["system"]
            }
            #expect(try await version() == nil)
            for _ in 0..<3 { #expect(try await device.say("closed", "success", of: number, details: ["up"]) == 200) }
            #expect(try await device.states() == [.failed], "what was counted stays counted")
            #expect(try await version() == "2.0")
            #expect(south.counter("tidegate_ddi_late_total") == 3)
            #expect(try await device.say("proceeding", "none", of: number) == 410)
            let task = try await south.operations.tasks(
                .device("meter-1"), limit: 1, in: south.acme, by: SouthboundFixture.admin
            ).items[0].task
            let history = try await south.operations.task(task.id, in: south.acme, by: SouthboundFixture.admin).history
            #expect(history.map(\.word).suffix(2) == ["failed", "late: succeeded"], "once, however often it comes")
            #expect(history.last?.details == ["up"])
        }
    }

    @Test(
        "a device says what it has by whatever way it came, if there is such a release", arguments: TestDatabase.engines
    )
    func told(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let device = try await DDIDevice(south)
            for version in ["2.0", "3.0"] {
                _ = try await south.release([("app.swu", "image \(version)")], version: version)
            }
            func put(_ body: String) async throws -> Int {
                try await device.send("PUT", "/installedBase", body).status
            }
            func version() async throws -> String? {
                try await south.fleet.show("meter-1", in: south.acme, by: SouthboundFixture.admin)
                    .device.components["system"]
            }
            #expect(try await put(#"{"name":"system","version":"3.0"}"#) == 201)
            #expect(try await put(#"{"name":"system","version":"3.0"}"#) == 200)
            #expect(try await version() == "3.0")
            for unknown in [#"{"name":"system","version":"4.0"}"#, #"{"name":"other","version":"3.0"}"#] {
                #expect(try await put(unknown) == 404)
            }
            for body in ["", "[]", "{}", #"{"name":"system"}"#, #"{"name":"system","version":3}"#] {
                #expect(try await put(body) == 400)
            }
            #expect(try await version() == "3.0")
            // Somebody put the former one back by hand.
            #expect(try await put(#"{"name":"system","version":"2.0"}"#) == 201)
            #expect(try await version() == "2.0")
            let rival = try await DDIDevice(south, "meter-1", in: "rival")
            let foreign = try await rival.send("PUT", "/installedBase", #"{"name":"system","version":"3.0"}"#)
            #expect(foreign.status == 404)
        }
    }
}
