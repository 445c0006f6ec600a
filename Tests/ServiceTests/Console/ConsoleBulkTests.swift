import Access
import Base
import Fleet
import HTTPTypes
import Storage
import Testing

@testable import Console

/// Acts on all devices that match, in the background.
@Suite("The console's bulk acts")
struct ConsoleBulkTests {
    private static let form = [("all", "1"), ("find", "meter"), ("act", "suspend"), ("sure", "1")]

    private static func meters(_ world: ConsoleFixture, _ count: Int) async throws {
        let lines = (0..<count).map { "meter-\(10_000 + $0)" }.joined(separator: "\n")
        _ = try await world.api.world.fleet.registerMany(
            try world.api.world.list("name\n\(lines)\n"), in: world.api.world.acme, by: FleetFixture.admin)
        _ = try await world.api.world.register("other")
    }

    private static func suspended(_ world: ConsoleFixture) async throws -> Int {
        try await world.api.world.fleet.count(
            filter: "status = suspended", in: world.api.world.acme, by: FleetFixture.admin)
    }

    private static func begin(_ world: ConsoleFixture, _ form: [(String, String)] = form) async throws -> String {
        let reply = try await world.post("/t/acme/devices/bulk", form, as: "admin")
        let place = try #require(reply.headers[.location], "\(reply.status) \(reply.text)")
        #expect(place.hasPrefix("/t/acme/devices/bulk/"))
        return place
    }

    @Test("more than one step goes on in the background and says how far it is", arguments: TestDatabase.engines)
    func runs(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            try await Self.meters(world, 450)
            let asks = try await world.post("/t/acme/devices/bulk", Array(Self.form.dropLast()), as: "admin").text
            #expect(asks.contains("This goes on in the background"))
            let place = try await Self.begin(world)
            #expect(try await world.get(place, as: "admin").text.contains("0 done, 0 refused, of 450"))
            #expect(await world.console.parts.bulk.turn())
            let half = try await world.get(place, as: "admin").text
            #expect(half.contains("200 done, 0 refused") && half.contains("width=\"444\"") && half.contains("Running"))
            // A device that comes meanwhile was not meant.
            world.api.world.time.advance(by: .seconds(1))
            _ = try await world.api.world.register("meter-late")
            while await world.console.parts.bulk.turn() {}
            let done = try await world.get(place, as: "admin").text
            #expect(done.contains("450 done, 0 refused") && done.contains("Finished") && !done.contains("Look again"))
            #expect(try await Self.suspended(world) == 450)
            let codes = try await world.api.world.audited()
            #expect(codes.count { $0 == "device.suspended" } == 450 && codes.count { $0 == "device.bulkBegun" } == 1)
            let list = try await world.get("/t/acme/devices/bulk", as: "admin").text
            #expect(list.contains("450 of 450") && list.contains("Suspend devices that match"))
            #expect(try await world.get("/t/acme/devices/bulk", as: "viewer").status == 403)
            #expect(try await world.get(place.replacing("/acme/", with: "/rival/"), as: "rival").status == 404)
            #expect(
                try await world.post(place.replacing("/acme/", with: "/rival/") + "/stop", as: "rival").status == 404)
        }
    }

    @Test("what is refused is named with its reason, and stops nothing", arguments: TestDatabase.engines)
    func refuses(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            try await Self.meters(world, 250)
            for number in [10_003, 10_240] {
                _ = try await world.api.world.fleet.revoke(
                    "meter-\(number)", in: world.api.world.acme, by: FleetFixture.admin)
            }
            let place = try await Self.begin(world)
            while await world.console.parts.bulk.turn() {}
            let page = try await world.get(place, as: "admin").text
            #expect(page.contains("248 done, 2 refused") && page.contains("Finished, with refusals"))
            #expect(page.contains("meter-10240") && page.contains("revoked for good"))
        }
    }

    @Test("it can be stopped, and goes on where it was, after a restart too", arguments: TestDatabase.engines)
    func rests(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            try await Self.meters(world, 650)
            let place = try await Self.begin(world)
            _ = await world.console.parts.bulk.turn()
            #expect(try await world.post(place + "/stop", as: "admin").status == 303)
            while await world.console.parts.bulk.turn() {}
            var page = try await world.get(place, as: "admin").text
            #expect(page.contains("200 done") && page.contains("Stopped") && page.contains("Go on"))
            #expect(try await Self.suspended(world) == 200)
            #expect(try await world.post(place + "/resume", as: "admin").status == 303)
            _ = await world.console.parts.bulk.turn()
            // A new start knows nobody's session: the run rests and says so.
            let after = try world.restarted()
            page = try await after.get(place, as: "admin").text
            #expect(page.contains("Interrupted") && page.contains("400 done") && page.contains("was stopped while"))
            #expect(try await after.post(place + "/resume", as: "admin").status == 303)
            while await after.console.parts.bulk.turn() {}
            #expect(try await after.get(place, as: "admin").text.contains("650 done, 0 refused"))
            #expect(try await Self.suspended(after) == 650)
            // What the first process still holds of it does nothing any more.
            while await world.console.parts.bulk.turn() {}
            #expect(try await world.get(place, as: "admin").text.contains("650 done, 0 refused"))
        }
    }

    @Test("it works with the rights of whoever began it, and ends with them", arguments: TestDatabase.engines)
    func losesRights(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            try await Self.meters(world, 450)
            let place = try await Self.begin(world)
            _ = await world.console.parts.bulk.turn()
            let (access, acme) = (world.api.world.access, world.api.world.acme)
            let admin = try await world.api.world.access.principals(tenant: acme, by: FleetFixture.admin)
            for person in admin where person.name.contains("admin") || person.kind == .client {
                _ = try await access.setActive(false, principal: person.id.text, tenant: acme, by: FleetFixture.admin)
            }
            while await world.console.parts.bulk.turn() {}
            #expect(try await Self.suspended(world) == 200)
            let run = try #require(BulkRun.ID(text: place.suffix(32)))
            let kept = try await world.api.world.database.tenant(acme).read { try BulkRunRow.find(run, in: $0) }
            #expect(kept?.status == .failed && kept?.done == 200)
        }
    }

    @Test(
        "ticked devices and all that match move to a domain that is named by its path", arguments: TestDatabase.engines)
    func moves(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            try await world.api.world.domain("plant")
            try await world.api.world.domain("hall", below: "plant")
            try await Self.meters(world, 230)
            let found = try await world.api.world.fleet.show(
                "meter-10000", in: world.api.world.acme, by: FleetFixture.admin)
            let ticked = [("device", found.device.id.text), ("act", "move")]
            let asks = try await world.post("/t/acme/devices/bulk", ticked, as: "admin").text
            #expect(asks.contains("To the domain") && asks.contains("plant / hall"))
            let wrong = try await world.post(
                "/t/acme/devices/bulk", ticked + [("target", "nowhere"), ("sure", "1")], as: "admin")
            #expect(wrong.status == 422 && wrong.text.contains("There is no such domain"))
            let one = try await world.post(
                "/t/acme/devices/bulk", ticked + [("target", "plant / hall"), ("sure", "1")], as: "admin"
            ).text
            #expect(one.contains("1 of 1 done"))
            let place = try await Self.begin(
                world,
                [("all", "1"), ("find", "meter"), ("act", "move"), ("target", "plant"), ("sure", "1")])
            while await world.console.parts.bulk.turn() {}
            #expect(try await world.get(place, as: "admin").text.contains("230 done"))
            let count = try await world.api.world.fleet.count(
                filter: "domain = plant", in: world.api.world.acme, by: FleetFixture.admin)
            #expect(count == 230)
            let refused = try await world.post(
                "/t/acme/devices/bulk", ticked + [("target", "plant"), ("sure", "1")], as: "viewer")
            #expect(refused.status == 403)
            for bad in ["delete", "x"] {
                #expect(try await world.post("/t/acme/devices/bulk", [("act", bad)], as: "admin").status == 400)
            }
            // Nothing that counts is ticked: the list says so.
            for none in [[("act", "suspend")], [("act", "suspend"), ("device", "x")]] {
                #expect(try await world.post("/t/acme/devices/bulk", none, as: "admin").status == 303)
            }
        }
    }

    @Test("a tenant has few under way at once")
    func few() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            try await Self.meters(world, 210)
            for _ in 0..<4 { _ = try await Self.begin(world) }
            let fifth = try await world.post("/t/acme/devices/bulk", Self.form, as: "admin")
            #expect(fifth.status == 429 && fifth.text.contains("under way"))
        }
    }
}
