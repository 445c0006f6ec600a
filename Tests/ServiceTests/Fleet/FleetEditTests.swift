import Access
import Base
import Bus
import Storage
import Testing

@testable import Fleet

@Suite("Edits of many devices' own layers")
struct FleetEditTests {
    private static func own(_ device: String, _ world: FleetFixture) async throws -> JSONValue {
        .object(
            try await world.fleet.layer(at: .device(device), in: world.acme, by: FleetFixture.admin).members)
    }

    private static func work(_ world: FleetFixture) async throws { while try await world.fleet.desiredStep() {} }

    @Test("an edit gives each device its own values, and goes on after a restart", arguments: TestDatabase.engines)
    func edit(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let document = try ModelDocument(json: [
                "desiredSchema": [
                    "properties": ["port": ["type": "integer"], "key": ["type": "string", "writeOnly": true]]
                ]
            ])
            _ = try await world.fleet.createModel(
                try #require(Name("gateway")), document, in: world.acme, by: FleetFixture.admin)
            let csv = "name,model,label.site\n" + (1...450).map { "gw-\($0),gateway,s\($0)\n" }.joined()
            let devices = try await world.fleet.registerMany(
                try world.list(csv), in: world.acme, by: FleetFixture.admin)
            _ = try await world.fleet.setDesired(
                ["old": 1, "kept": true], of: "gw-1", in: world.acme, by: FleetFixture.admin)
            let order = DesiredEditOrder(
                .filter("model = gateway"),
                change: [
                    "old": .null, "host": ["$generate": "{{{name}-{number:4}-{label.site}"],
                    "port": ["$generate": "8{number:3}"], "key": ["$random": 24],
                ])
            let preview = try await world.fleet.preview(order, in: world.acme, by: FleetFixture.admin)
            #expect(preview.devices == 450 && preview.changing == 450 && preview.broken == 0)
            #expect(preview.examples.count == FleetLimits.previewedDevices)
            // Devices of one moment come in no order: the one with an own layer is looked at by itself.
            for example in preview.examples where example.name != "gw-1" {
                #expect(example.changes.map(\.pointer) == ["/host", "/key", "/port"])
            }
            var single = order
            single.target = .filter("name = gw-1")
            let shown = try await world.fleet.preview(single, in: world.acme, by: FleetFixture.admin).examples
            #expect(shown.map(\.name) == ["gw-1"])
            #expect(shown.first?.changes.map(\.pointer) == ["/host", "/key", "/old", "/port"])
            #expect(shown.first?.changes.contains(.init(pointer: "/old", from: 1, to: nil)) == true)
            #expect(preview.json.canonical.contains(#"{"$secret":"set"}"#))
            let edit = try await world.fleet.edit(order, in: world.acme, by: FleetFixture.admin)
            #expect(edit.total == 450)
            #expect(try await world.fleet.editStep())
            #expect(try await world.fleet.edit(edit.id, in: world.acme, by: FleetFixture.admin).done == 200)
            let again = try await world.restarted()
            let heard = FleetTestLog<DesiredChanged>()
            again.bus.subscribe(to: DesiredChanged.self) { heard.append($0) }
            try await Self.work(again)
            let done = try await again.fleet.edit(edit.id, in: world.acme, by: FleetFixture.admin)
            #expect(done.done == 450 && done.refused == 0 && done.finished != nil)
            #expect(heard.elements.count == 250)
            let own = try await Self.own("gw-1", again)
            #expect(own["kept"] == true && own["old"] == nil && own["key"] == ["$secret": "set"])
            let host = try #require(own["host"]?.string)
            let number = try #require(host.wholeMatch(of: /\{gw-1-(\d{4})-s1/)).1
            #expect(own["port"] == .integer(try #require(Int64("8" + number.suffix(3)))))
            let keys = Set(heard.elements.compactMap { $0.document.told["key"]?.string })
            #expect(keys.count == 250 && keys.allSatisfy { $0.count == 24 })
            #expect(Set(heard.elements.map(\.device)).isSubset(of: devices.devices.map(\.id)))
            #expect(try await again.audited("desired.") == ["desired.edited"])
            let left = try await world.database.tenant(world.acme).read {
                try $0.row("SELECT count(*) FROM desired_edit_device WHERE tenant = $1")?.int(0)
            }
            #expect(left == 0)
        }
    }

    @Test("a list brings each device its texts as its schema has them", arguments: TestDatabase.engines)
    func list(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let document = try ModelDocument(json: [
                "desiredSchema": [
                    "properties": ["pin": ["type": "string"], "port": ["type": "integer", "maximum": 9]]
                ]
            ])
            _ = try await world.fleet.createModel(
                try #require(Name("gateway")), document, in: world.acme, by: FleetFixture.admin)
            _ = try await world.register("gw-1") { $0.model = "gateway" }
            _ = try await world.register("gw-2")
            func named(_ device: String, _ texts: [String: String]) throws -> DesiredEditOrder.Named {
                var paths: [MemberPath: String] = [:]
                for (pointer, text) in texts { paths[try #require(MemberPath(pointer: pointer))] = text }
                return .init(device, texts: paths)
            }
            func edit(_ devices: DesiredEditOrder.Named...) async throws {
                _ = try await world.fleet.edit(
                    DesiredEditOrder(.devices(devices)), in: world.acme, by: FleetFixture.admin)
                try await Self.work(world)
            }
            try await edit(
                named("gw-1", ["/pin": "0042", "/port": "7", "/net/a~1b": "x"]),
                named("gw-2", ["/pin": "42", "/list": "[1,2]", "/text": "plain words"]))
            #expect(try await Self.own("gw-1", world) == ["pin": "0042", "port": 7, "net": ["a/b": "x"]])
            #expect(try await Self.own("gw-2", world) == ["pin": 42, "list": [1, 2], "text": "plain words"])
            try await edit(named("gw-1", ["/port": "null"]))
            #expect(try await Self.own("gw-1", world) == ["pin": "0042", "net": ["a/b": "x"]])
            for (wrong, code) in try [
                ([named("gw-1", ["/port": "10"])], "desired.breaks"),
                ([named("gw-1", ["/port": "x"])], "desired.breaks"),
                ([named("nobody", ["/port": "1"])], "device.unknown"), ([], "desired.invalid"),
                ([named("gw-1", ["/port": "1"]), named("gw-1", ["/port": "2"])], "desired.invalid"),
                ([named("gw-2", ["/a": #"{"$secret":"set"}"#])], "desired.invalid"),
                ([named("gw-2", ["/a": #"{"b":[{"$secret":"set"}]}"#])], "desired.invalid"),
                ([named("gw-2", ["/a": #"{"$random":24}"#])], "desired.invalid"),
                (
                    [named("gw-2", ["/a/b/c": String(repeating: "[", count: 15) + String(repeating: "]", count: 15)])],
                    "desired.invalid"
                ),
            ] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.fleet.edit(
                        DesiredEditOrder(.devices(wrong)), in: world.acme, by: FleetFixture.admin)
                }
                #expect(refusal?.code == code)
            }
        }
    }

    @Test("what no device could be given is refused at once", arguments: [TestDatabase.Engine.sqlite])
    func refused(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("gw-1")
            var deep: JSONValue = 1
            for _ in 0..<20 { deep = ["x": deep] }
            let wrong: [JSONValue] = [
                [:], [1], deep, ["a": ["$secret": "set"]], ["a": ["$random": 4]], ["a": ["$random": 1_000_000]],
                ["a": ["$generate": "{nothing}"]], ["a": ["$generate": "{name"]], ["a": ["$generate": "{number:99}"]],
                ["a": ["$generate": 5]], ["a": ["$other": 5]], ["a": [["$random": 24]]],
                ["a": ["$generate": "{label.site}"]],
                ["a": ["$generate": "{serial}"]],
            ]
            for change in wrong {
                let refusal = await #expect(throws: Refusal.self, "\(change)") {
                    try await world.fleet.edit(
                        DesiredEditOrder(.filter(nil), change: change), in: world.acme, by: FleetFixture.admin)
                }
                #expect(refusal?.code == "desired.invalid", "\(change)")
            }
            let none = await #expect(throws: Refusal.self) {
                try await world.fleet.edit(
                    DesiredEditOrder(.filter("name = x"), change: ["a": 1]), in: world.acme, by: FleetFixture.admin)
            }
            #expect(none?.code == "desired.nothing")
            let viewer = try await world.principal("viewer")
            await #expect(throws: Refusal.self) {
                try await world.fleet.edit(
                    DesiredEditOrder(.filter(nil), change: ["a": 1]), in: world.acme, by: viewer)
            }
        }
    }

    @Test("what devices share is kept once, sealed, and gone when the edit is through", arguments: TestDatabase.engines)
    func shared(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            for number in 1...3 { _ = try await world.register("gw-\(number)") }
            func rows(_ sql: String) async throws -> Int {
                try await world.database.tenant(world.acme).read { try $0.row(sql)?.int(0) ?? 0 }
            }
            _ = try await world.fleet.edit(
                DesiredEditOrder(.filter(nil), change: ["note": "shared words"]), in: world.acme,
                by: FleetFixture.admin)
            let waiting = "SELECT count(*) FROM desired_edit_device WHERE tenant = $1"
            #expect(try await rows(waiting) == 3)
            #expect(try await rows(waiting + " AND texts IS NOT NULL") == 0)
            let sealed = try await world.database.tenant(world.acme).read {
                try $0.row("SELECT change FROM desired_edit WHERE tenant = $1")?.blob(0) ?? []
            }
            #expect(!sealed.isEmpty && !String(decoding: sealed, as: UTF8.self).contains("shared"))
            try await Self.work(world)
            #expect(try await rows("SELECT count(*) FROM desired_edit WHERE tenant = $1 AND change IS NOT NULL") == 0)
            for number in 1...3 { #expect(try await Self.own("gw-\(number)", world) == ["note": "shared words"]) }
        }
    }

    @Test("a device that lost meanwhile what is filled in is refused by name", arguments: TestDatabase.engines)
    func lost(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            for number in 1...2 {
                _ = try await world.register("gw-\(number)") { $0.labels = ["site": "s\(number)"] }
            }
            let edit = try await world.fleet.edit(
                DesiredEditOrder(.filter(nil), change: ["site": ["$generate": "{label.site}"]]), in: world.acme,
                by: FleetFixture.admin)
            var change = DeviceChange()
            change.labels = ["site": .remove]
            _ = try await world.fleet.update("gw-1", change, in: world.acme, by: FleetFixture.admin)
            try await Self.work(world)
            let done = try await world.fleet.edit(edit.id, in: world.acme, by: FleetFixture.admin)
            #expect(done.done == 1 && done.refused == 1 && done.examples.map(\.device) == ["gw-1"])
            #expect(try await Self.own("gw-2", world) == ["site": "s2"])
        }
    }

    @Test("an edit that a stop left half made is nobody's, and goes at the start", arguments: TestDatabase.engines)
    func halfMade(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let device = try await world.register("gw-1").device.id
            let now = world.time.now
            let edit = DesiredEdit(
                id: DesiredEdit.ID(now: now), creator: FleetFixture.admin.id, creatorName: "somebody", created: now,
                finished: nil, total: 2, done: 0, refused: 0, examples: [])
            try await world.database.tenant(world.acme).write { transaction in
                try EditStore.insert(edit, ["a": 1], of: world.acme, with: world.ring, in: transaction)
                try EditStore.insert(
                    [.init(device: device, number: 1, texts: [:])], of: edit.id, of: world.acme, with: world.ring,
                    in: transaction)
            }
            #expect(try await !world.fleet.desiredStep())
            #expect(try await world.fleet.edits(in: world.acme, by: FleetFixture.admin).isEmpty)
            await #expect(throws: Refusal(.notFound, "desired.editUnknown", "")) {
                try await world.fleet.edit(edit.id, in: world.acme, by: FleetFixture.admin)
            }
            func left() async throws -> Int {
                try await world.database.tenant(world.acme).read { transaction in
                    try ["desired_edit", "desired_edit_device"].map {
                        try transaction.row("SELECT count(*) FROM \($0) WHERE tenant = $1")?.int(0) ?? 0
                    }.reduce(0, +)
                }
            }
            // One that is being made just now is left alone.
            try await world.fleet.dropHalfMadeEdits(before: now)
            #expect(try await left() == 2)
            try await world.fleet.dropHalfMadeEdits(before: now + .seconds(1))
            #expect(try await left() == 0)
        }
    }

    @Test("an edit that would fill the memory is refused")
    func tooLarge() async throws {
        try await FleetFixture.with(.sqlite) { world in
            let text = String(repeating: "x", count: 60_000)
            let path = try #require(MemberPath(pointer: "/a"))
            let named = (0...FleetLimits.editBytes / 60_000).map {
                DesiredEditOrder.Named("gw-\($0)", texts: [path: text])
            }
            let refusal = await #expect(throws: Refusal.self) {
                try await world.fleet.edit(
                    DesiredEditOrder(.devices(named)), in: world.acme, by: FleetFixture.admin)
            }
            #expect(refusal?.kind == .tooLarge && refusal?.code == "desired.edit")
        }
    }
}
