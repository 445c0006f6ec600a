import Base
import Fleet
import HTTPTypes
import Testing

@testable import Console

/// Where devices stand.
@Suite("The console's map")
struct ConsoleMapTests {
    private static func place(_ world: ConsoleFixture, _ name: String, _ latitude: Double, _ longitude: Double)
        async throws
    {
        _ = try await world.api.world.register(name) {
            $0.location = Location(latitude: latitude, longitude: longitude)
        }
    }

    @Test(
        "close devices make one mark with their number, a single one leads to its page", arguments: TestDatabase.engines
    )
    func marks(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            for number in 0..<7 { try await Self.place(world, "berlin-\(number)", 52.5 + Double(number) / 1000, 13.4) }
            try await Self.place(world, "quito", -0.2, -78.5)
            _ = try await world.api.world.register("somewhere")
            let page = try await world.get("/t/acme/map", as: "viewer").text
            #expect(page.contains("8 devices here") && page.contains("1 device has no position"))
            #expect(page.contains("aria-label=\"7 devices, 52.503° N, 13.4° E\""))
            #expect(page.contains("/t/acme/devices/quito") && page.contains("0.2° S, 78.5° W"))
            let list = try #require(page.firstMatch(of: /href="(\/t\/acme\/map\/devices\?west[^"]*)"/)?.1)
            let there = try await world.get(String(list).replacing("&amp;", with: "&"), as: "viewer").text
            #expect(there.contains("7 devices") && there.contains("berlin-6") && !there.contains("quito"))
            let nearer = try #require(page.firstMatch(of: /href="(\/t\/acme\/map\?west[^"]*)" class="mark-many"/)?.1)
            let close = try await world.get(String(nearer).replacing("&amp;", with: "&"), as: "viewer").text
            #expect(close.contains("7 devices here") && close.contains("/t/acme/devices/berlin-0"))
            let unplaced = try await world.get("/t/acme/map/devices?unplaced=1", as: "viewer").text
            #expect(unplaced.contains("somewhere") && !unplaced.contains("quito"))
        }
    }

    @Test("nobody sees a position of what is not for them", arguments: TestDatabase.engines)
    func isolation(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            try await Self.place(world, "secret", 10, 10)
            let rival = try await world.get("/t/rival/map", as: "rival").text
            #expect(!rival.contains("secret") && rival.contains("No device has a position yet"))
            #expect(try await world.get("/t/acme/map", as: "rival").status == 404)
            #expect(try await world.get("/t/acme/map/devices?unplaced=1", as: "rival").status == 404)
            // Somebody with one domain sees what stands there.
            try await world.api.world.domain("plant")
            _ = try await world.api.world.register("inside") {
                $0.location = Location(latitude: 20, longitude: 20)
                $0.domain = "plant"
            }
            let person = try await world.api.world.principal("viewer", at: "plant")
            let seen = try await world.api.world.fleet.clusters(
                in: .world, columns: 28, rows: 14, in: world.api.world.acme, by: person)
            #expect(seen.map(\.device) == ["inside"])
        }
    }

    @Test(
        "an address that is no part of the world shows all devices, or says so",
        arguments: [
            "west=1&south=2&east=0&north=3", "west=nan&south=0&east=1&north=1", "west=-181&south=0&east=1&north=1",
            "west=0&south=0&east=inf&north=1", "west=a", "west=0&south=0&east=0&north=0",
        ])
    func badBoxes(query: String) async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            try await Self.place(world, "quito", -0.2, -78.5)
            #expect(try await world.get("/t/acme/map?\(query)", as: "viewer").text.contains("1 device here"))
            #expect(try await world.get("/t/acme/map/devices?\(query)", as: "viewer").status == 400)
        }
    }

    @Test("the edges of the world belong to it, and one spot makes one mark that leads to its list")
    func edges() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for (name, latitude, longitude) in [("a", 90.0, 180.0), ("b", -90.0, -180.0)] {
                try await Self.place(world, name, latitude, longitude)
            }
            for number in 0..<3 { try await Self.place(world, "same-\(number)", 1, 1) }
            let page = try await world.get("/t/acme/map?west=-180&south=-90&east=180&north=90", as: "viewer").text
            #expect(page.contains("5 devices here"))
            #expect(page.contains("class=\"mark-many\" aria-label=\"3 devices, 1° N, 1° E\""))
            let closest = try await world.get(
                "/t/acme/map?west=0.999&south=0.9995&east=1.001&north=1.0005", as: "viewer"
            ).text
            #expect(closest.firstMatch(of: /href="\/t\/acme\/map\/devices[^"]*" class="mark-many"/) != nil)
        }
    }

    @Test("a view has few marks, however many devices there are", arguments: TestDatabase.engines)
    func bounded(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            var lines = "name,latitude,longitude\n"
            for index in 0..<4000 {
                lines += "d-\(index),\(Double(index % 63) * 2.8 - 88),\(Double(index / 63) * 5.6 - 178)\n"
            }
            _ = try await world.api.world.fleet.registerMany(
                try world.api.world.list(lines), in: world.api.world.acme, by: FleetFixture.admin)
            let seen = try await world.api.world.fleet.clusters(
                in: .world, columns: 28, rows: 14, in: world.api.world.acme, by: FleetFixture.admin)
            #expect(seen.count <= 500 && seen.reduce(0) { $0 + $1.count } == 4000)
        }
    }
}
