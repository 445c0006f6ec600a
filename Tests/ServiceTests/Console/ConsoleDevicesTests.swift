import Base
import Fleet
import HTTPTypes
import Testing

@testable import Console

/// What the pages about devices do.
@Suite("The console's devices")
struct ConsoleDevicesTests {
    @Test("the list filters, goes on by pages, and remembers size and columns", arguments: TestDatabase.engines)
    func list(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            for number in 100..<160 { _ = try await world.api.world.register("meter-\(number)") }
            let first = try await world.get("/t/acme/devices", as: "admin").text
            #expect(first.contains("60 devices") && first.contains("meter-149") && !first.contains("meter-150"))
            let next = try #require(first.firstMatch(of: /href="([^"]*cursor=[^"]*)"/)?.1)
            let second = try await world.get(String(next).replacing("&amp;", with: "&"), as: "admin").text
            #expect(second.contains("meter-150") && !second.contains("meter-149"))
            let kept = try await world.post(
                "/t/acme/devices/preferences", [("size", "100"), ("column", "place")], as: "admin")
            #expect(kept.status == 303)
            let whole = try await world.get("/t/acme/devices", as: "admin").text
            #expect(whole.contains("meter-159") && whole.contains(">Place</th>") && !whole.contains(">Model</th>"))
            let found = try await world.get("/t/acme/devices?find=METER-12", as: "admin").text
            #expect(found.contains("10 devices match") && found.contains("Name has “METER-12”"))
            let wrong = try await world.get("/t/acme/devices?filter=colour%20%3D", as: "admin")
            #expect(wrong.status == 200 && wrong.text.contains("role=\"alert\""))
            let rival = try await world.get("/t/rival/devices", as: "rival").text
            #expect(!rival.contains("meter-"))
        }
    }

    @Test("an action takes all that match, on however many pages, after it has asked", arguments: TestDatabase.engines)
    func bulk(engine: TestDatabase.Engine) async throws {
        try await ConsoleFixture.with(engine) { world in
            for number in 100..<160 { _ = try await world.api.world.register("meter-\(number)") }
            _ = try await world.api.world.register("other")
            let form = [("all", "1"), ("find", "meter"), ("act", "suspend")]
            let asks = try await world.post("/t/acme/devices/bulk", form, as: "admin").text
            #expect(asks.contains("Suspend 60 devices") && asks.contains("name=\"sure\""))
            let done = try await world.post("/t/acme/devices/bulk", form + [("sure", "1")], as: "admin").text
            #expect(done.contains("60 of 60 done"))
            let left = try await world.api.world.fleet.count(
                filter: "status = suspended", in: world.api.world.acme, by: FleetFixture.admin)
            #expect(left == 60)
            let none = try await world.post(
                "/t/acme/devices/bulk", [("find", "meter"), ("act", "suspend")], as: "admin")
            #expect(none.status == 303 && none.headers[.location] == "/t/acme/devices?find=meter&done=nothing-ticked")
            let refused = try await world.post("/t/acme/devices/bulk", form + [("sure", "1")], as: "viewer")
            #expect(refused.status == 403 || refused.status == 404)
        }
    }

    @Test("a device's page says what a visitor may see, and what can not be undone asks once more")
    func device() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let registered = try await world.api.world.register("meter-1")
            try await world.api.report("{\"power\":287.5}", device: registered.device.id)
            let admin = try await world.get("/t/acme/devices/meter-1", as: "admin").text
            #expect(admin.contains("287.5") && admin.contains("device.registered") && admin.contains("Revoke…"))
            #expect(admin.contains("Who has access"))
            let viewer = try await world.get("/t/acme/devices/meter-1", as: "viewer").text
            #expect(viewer.contains("287.5") && !viewer.contains("device.registered") && !viewer.contains("Revoke…"))
            let asks = try await world.post("/t/acme/devices/meter-1/act", [("act", "revoke")], as: "admin").text
            #expect(asks.contains("Revoke meter-1?"))
            let done = try await world.post(
                "/t/acme/devices/meter-1/act", [("act", "revoke"), ("sure", "1")], as: "admin")
            #expect(done.headers[.location] == "/t/acme/devices/meter-1?done=revoked")
            let foreign = try await world.get("/t/rival/devices/meter-1", as: "rival")
            #expect(foreign.status == 404)
        }
    }

    @Test("a list is imported after its columns are named; wrong lines are named and nothing is registered")
    func importing() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let list = "Device,Serial Number,Site\nmeter-1,A-1,Berlin\nmeter 2,A-2,Berlin\n"
            let preview = try await world.post("/t/acme/devices/import", [("list", list)], as: "admin")
            #expect(preview.status == 422 && preview.text.contains("line 3"))
            #expect(!preview.text.lowercased().contains("nothing was registered"))
            let mapping = [
                ("column-0", "name"), ("column-1", "serial"), ("column-2", "label.site"), ("step", "register"),
            ]
            let refused = try await world.post("/t/acme/devices/import", [("list", list)] + mapping, as: "admin")
            #expect(refused.status == 422 && refused.text.contains("Nothing was registered"))
            let good = list.replacing("meter 2", with: "meter-2")
            let done = try await world.post("/t/acme/devices/import", [("list", good)] + mapping, as: "admin")
            #expect(done.status == 200 && done.text.contains("2 devices are registered"))
            #expect(done.text.contains("<li class=\"done\" aria-current=\"step\">Registered</li>"))
            #expect(done.text.contains("action=\"/t/acme/devices/import/tokens\""))
            let file = try await world.post(
                "/t/acme/devices/import/tokens", [("tokens", "name,id,enrolmentToken\r\nmeter-1,1,t")], as: "admin")
            #expect(file.status == 200 && file.text == "name,id,enrolmentToken\r\nmeter-1,1,t")
            #expect(file.headers[.contentDisposition] == "attachment; filename=\"enrolment-tokens.csv\"")
            let viewer = try await world.post("/t/acme/devices/import/tokens", [("tokens", "x")], as: "viewer")
            #expect(viewer.status == 403 || viewer.status == 404)
            let found = try await world.get("/t/acme/devices?filter=label.site%20%3D%20Berlin", as: "admin").text
            #expect(found.contains("2 devices match"))
            let again = try await world.post("/t/acme/devices/import", [("list", good)] + mapping, as: "admin")
            #expect(again.status == 422 && again.text.contains("the tenant has a device called meter-1"))
        }
    }

    @Test("a list with semicolons, as spreadsheets write it, is read like one with commas")
    func semicolons() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let list = "Device name;Serial number;Place\r\nmeter-1;A-1;Hafen, Tor 3\r\n"
            let preview = try await world.post("/t/acme/devices/import", [("list", list)], as: "admin")
            #expect(preview.status == 200 && preview.text.contains("1 device, ready."))
            #expect(preview.text.contains("<td>Hafen, Tor 3</td>"))
        }
    }

    @Test("a filter knows the words that the list shows, and a wrong one is shown at its place")
    func filter() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await world.api.world.register("meter-1")
            let found = try await world.get("/t/acme/devices?filter=state%20%3D%20Waiting", as: "admin").text
            #expect(found.contains("1 device match"))
            let wrong = try await world.get("/t/acme/devices?filter=online%20or%20colour%20%3D%20red", as: "admin").text
            #expect(
                wrong.contains("<code>online or <mark>colour</mark> = red</code>")
                    && wrong.contains("Colour is not a field"))
            #expect(!wrong.contains("0 devices") && wrong.contains("The filter can not be read"))
        }
    }

    @Test("the block to paste pins the server, and holds nothing that a shell would read otherwise")
    func block() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let reply = try await world.post("/t/acme/devices/connect", [("name", "meter-1")], as: "admin")
            #expect(reply.status == 200 && reply.text.contains("sha256sum -c") && reply.text.contains("simpleenroll"))
            let wrong = try await world.post("/t/acme/devices/connect", [("name", "a; rm -rf /")], as: "admin")
            #expect(wrong.status == 422 && !wrong.text.contains("simpleenroll"))
            let viewer = try await world.post("/t/acme/devices/connect", [("name", "meter-2")], as: "viewer")
            #expect(viewer.status == 403 || viewer.status == 404)
        }
    }

    @Test("readings are shown as charts, as a table and as CSV, to those who may read them")
    func telemetry() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let registered = try await world.api.world.register("meter-1")
            try await world.api.report("{\"power\":287.5,\"voltage\":230}", device: registered.device.id)
            let page = try await world.get("/t/acme/telemetry?device=meter-1", as: "viewer").text
            #expect(
                page.contains("power") && page.contains("max <span data-high>287.5</span>")
                    && page.contains("View as table"))
            let table = try await world.get("/t/acme/telemetry?device=meter-1&view=table", as: "viewer").text
            #expect(table.contains("<td class=\"number\">287.5</td>"))
            let points = try await world.get("/t/acme/telemetry/points?device=meter-1", as: "viewer")
            #expect(points.text.contains("\"mean\":[287.5]") && points.text.contains("\"count\":[1]"))
            let span = try JSONValue(parsing: points.bytes)
            let (from, to) = try (#require(span["from"]?.integer), #require(span["to"]?.integer))
            #expect(to == world.api.world.time.clock.now.milliseconds && to - from == 3_600_000)
            #expect(span["step"]?.integer == 4000)
            let csv = try await world.get("/t/acme/telemetry/readings.csv?device=meter-1", as: "viewer")
            #expect(csv.headers[.contentType]?.hasPrefix("text/csv") == true && csv.text.contains("power,"))
            let foreign = try await world.get("/t/rival/telemetry/points?device=meter-1", as: "rival")
            #expect(foreign.status == 404)
        }
    }

    @Test("people read seconds where steps are short, and degrees for Cel; programs get the unit as it came")
    func words() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let registered = try await world.api.world.register("meter-1")
            let empty = try await world.get("/t/acme/telemetry?device=meter-1", as: "viewer").text
            #expect(empty.contains("shows up here by itself") && empty.contains("data-refresh=\"value\""))
            #expect(empty.contains("data-live=\"/t/acme/live?device=meter-1\""))
            try await world.api.report(
                "[{\"n\":\"temperature\",\"u\":\"Cel\",\"v\":21.5}]", device: registered.device.id)
            let hour = try await world.get("/t/acme/telemetry?device=meter-1&view=table", as: "viewer").text
            #expect(
                hour.contains("temperature (°C)")
                    && hour.firstMatch(of: /data-seconds>[-0-9]+ \d\d:\d\d:\d\d UTC/) != nil)
            let month = try await world.get("/t/acme/telemetry?device=meter-1&span=30d&view=table", as: "viewer").text
            #expect(!month.contains("data-seconds"))
            let points = try await world.get("/t/acme/telemetry/points?device=meter-1", as: "viewer").text
            #expect(points.contains("\"unit\":\"Cel\""))
        }
    }

    @Test("a view is saved under a name and found again, by its owner only")
    func views() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            _ = try await world.api.world.register("meter-1")
            let saved = try await world.post(
                "/t/acme/devices/views", [("name", "<b>Waiting</b>"), ("query", "?state=waiting&evil=1")], as: "admin")
            #expect(saved.headers[.location] == "/t/acme/devices?state=waiting&done=view-saved")
            let own = try await world.get("/t/acme/devices", as: "admin").text
            #expect(own.contains("&lt;b&gt;Waiting&lt;/b&gt;") && !own.contains("evil"))
            let other = try await world.get("/t/acme/devices", as: "viewer").text
            #expect(!other.contains("Waiting&lt;"))
        }
    }
}
