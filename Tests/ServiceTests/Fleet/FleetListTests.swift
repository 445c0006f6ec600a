import Access
import Base
import Bus
import Storage
import Testing

@testable import Fleet

@Suite("Lists of devices")
struct FleetListTests {
    /// Twelve devices in three domains, of two models, with labels.
    private static func fill(_ world: FleetFixture) async throws {
        try await world.domain("plants")
        try await world.domain("north", below: "plants")
        try await world.domain("office")
        for name in ["meter", "gateway"] {
            _ = try await world.fleet.createModel(
                try #require(Name(name)), ModelDocument(), in: world.acme, by: FleetFixture.admin)
        }
        for number in 0..<12 {
            world.time.advance(by: .seconds(1))
            _ = try await world.register(
                "\(number.isMultiple(of: 2) ? "meter" : "GW")-\(number < 10 ? "0" : "")\(number)"
            ) { draft in
                draft.model = number.isMultiple(of: 2) ? "meter" : nil
                draft.domain = ["plants/north", "plants", "office"][number % 3]
                draft.labels = number < 4 ? ["site": "Berlin"] : number < 6 ? ["site": "Bonn", "hot": ""] : [:]
                draft.capabilities = number == 5 ? [.relays] : .usual
                draft.components =
                    [
                        0: ["system": "2.0"], 1: ["system": "2.0", "modem": "R7"], 2: ["system": "2.0 \"b\""],
                        3: ["note": "\"system\":\"2.0\"", "subsystem": "2.0"],
                    ][number, default: [:]]
                if number == 7 { draft.identifiers = [HardwareIdentifier(.serial, "S-7")].compactMap { $0 } }
            }
        }
    }

    @Test("each condition selects what it says", arguments: TestDatabase.engines)
    func filters(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await Self.fill(world)
            _ = try await world.fleet.suspend("GW-01", in: world.acme, by: FleetFixture.admin)
            let cases: [(String, [Int])] = [
                ("name = meter-02", [2]), ("name = meter-*", [0, 2, 4, 6, 8, 10]), ("name ~ gw-0", [1, 3, 5, 7, 9]),
                ("name != GW-*", [0, 2, 4, 6, 8, 10]), ("status = suspended", [1]),
                ("model = meter", [0, 2, 4, 6, 8, 10]),
                ("not model = meter", [1, 3, 5, 7, 9, 11]), ("model = none", []), ("model != none", Array(0..<12)),
                ("domain = plants", [0, 1, 3, 4, 6, 7, 9, 10]), ("domain = plants/north", [0, 3, 6, 9]),
                ("domain != plants", [2, 5, 8, 11]), ("label.site = Berlin", [0, 1, 2, 3]),
                ("label.site", [0, 1, 2, 3, 4, 5]), ("label.hot", [4, 5]), ("label.hot = \"\"", [4, 5]),
                ("not label.site", [6, 7, 8, 9, 10, 11]), ("capability = relays", [5]),
                ("capability = tasks and name ~ 5", []),
                ("serial = s-7", [7]), ("online", []), ("not online", Array(0..<12)), ("enrolled", []),
                ("name = meter-* and (label.site = Berlin or label.site = Bonn) and not domain = office", [0, 4]),
                ("component.system", [0, 1, 2]), ("component.system = 2.0", [0, 1]), ("component.modem = R", []),
                ("component.system = \"2.0 \\\"b\\\"\"", [2]), ("not component.system = 2.0 and component.system", [2]),
                ("component.note", [3]), ("component.SYSTEM", []),
                ("label.site = \"' OR 1=1 --\"", []),
            ]
            for (filter, numbers) in cases {
                let wanted = numbers.map { "\($0.isMultiple(of: 2) ? "meter" : "GW")-\($0 < 10 ? "0" : "")\($0)" }
                    .sorted()
                let query = DeviceQuery(filter: filter, counting: .all)
                let page = try await world.fleet.list(query, in: world.acme, by: FleetFixture.admin)
                #expect(page.items.map(\.device.name.text) == wanted, "\(filter)")
                #expect(page.count == Count(number: wanted.count, hasMore: false), "\(filter)")
                #expect(
                    try await world.fleet.count(filter: filter, in: world.acme, by: FleetFixture.admin) == wanted.count)
            }
            #expect(
                try await world.fleet.countByStatus(in: world.acme, by: FleetFixture.admin) == [
                    .registered: 11, .suspended: 1,
                ])
            #expect(try await world.fleet.count(in: world.rival, by: FleetFixture.admin) == 0)
        }
    }

    @Test("a count ends where it is told to, and says that there are more", arguments: TestDatabase.engines)
    func boundedCount(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            try await Self.fill(world)
            _ = try await world.fleet.suspend("GW-01", in: world.acme, by: FleetFixture.admin)
            let cases: [(String?, Int, Counting, Count?)] = [
                (nil, 5, .nothing, nil), (nil, 5, .all, Count(number: 12, hasMore: false)),
                (nil, 5, .upTo(7), Count(number: 7, hasMore: true)),
                (nil, 5, .upTo(12), Count(number: 12, hasMore: false)),
                ("status = suspended", 5, .upTo(7), Count(number: 1, hasMore: false)),
                // A page that is all there is needs no bound.
                (nil, 12, .upTo(7), Count(number: 12, hasMore: false)),
            ]
            for (filter, limit, counting, wanted) in cases {
                let query = DeviceQuery(filter: filter, limit: limit, counting: counting)
                let page = try await world.fleet.list(query, in: world.acme, by: FleetFixture.admin)
                #expect(page.count == wanted, "\(filter ?? "all"), \(counting)")
                if let next = page.next {
                    var following = query
                    following.cursor = next
                    let second = try await world.fleet.list(following, in: world.acme, by: FleetFixture.admin)
                    #expect(second.count == wanted, "\(counting), from the second page")
                }
            }
        }
    }

    @Test("pages in any order hold every device once", arguments: TestDatabase.engines, DeviceSort.allCases)
    func pages(engine: TestDatabase.Engine, sort: DeviceSort) async throws {
        try await FleetFixture.with(engine) { world in
            try await Self.fill(world)
            for name in ["meter-04", "GW-09", "meter-00"] {
                world.time.advance(by: .seconds(10))
                let id = try await world.fleet.show(name, in: world.acme, by: FleetFixture.admin).device.id
                let now = world.time.now
                try await world.database.tenant(world.acme).write { transaction in
                    try transaction.execute(
                        "UPDATE device_presence SET last_seen = $3 WHERE tenant = $1 AND device = $2", id, now)
                }
            }
            let all = try await world.names(DeviceQuery(sort: sort, limit: 1000))
            #expect(all.count == 12)
            switch sort {
            case .name: #expect(all == all.sorted())
            case .nameDescending: #expect(all == all.sorted().reversed())
            case .created: #expect(all.first == "meter-00" && all.last == "GW-11")
            case .createdDescending: #expect(all.first == "GW-11" && all.last == "meter-00")
            case .lastSeen: #expect(all.suffix(3) == ["meter-04", "GW-09", "meter-00"])
            case .lastSeenDescending: #expect(all.prefix(3) == ["meter-00", "GW-09", "meter-04"])
            }
            var paged: [String] = []
            var query = DeviceQuery(sort: sort, limit: 5)
            repeat {
                let page = try await world.fleet.list(query, in: world.acme, by: FleetFixture.admin)
                #expect(page.items.count <= 5)
                paged += page.items.map(\.device.name.text)
                query.cursor = page.next
            } while query.cursor != nil
            #expect(paged == all)
        }
    }

    @Test("devices that come and go between pages neither repeat nor hide the others", arguments: TestDatabase.engines)
    func stable(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            for number in 10..<30 { _ = try await world.register("d-\(number)") }
            var query = DeviceQuery(limit: 7)
            var seen: [String] = []
            var round = 0
            repeat {
                let page = try await world.fleet.list(query, in: world.acme, by: FleetFixture.admin)
                seen += page.items.map(\.device.name.text)
                query.cursor = page.next
                // One before the cursor goes, one before it comes, and the cursor's own device goes.
                if round == 0 {
                    try await world.fleet.delete("d-10", in: world.acme, by: FleetFixture.admin)
                    try await world.fleet.delete("d-16", in: world.acme, by: FleetFixture.admin)
                    _ = try await world.register("d-00")
                    _ = try await world.register("d-99")
                }
                round += 1
            } while query.cursor != nil
            #expect(seen == (10..<30).map { "d-\($0)" } + ["d-99"])
        }
    }

    @Test("a wrong limit, cursor or filter is refused", arguments: TestDatabase.engines)
    func wrong(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.register("a")
            _ = try await world.register("b")
            let next = try await world.fleet.list(DeviceQuery(limit: 1), in: world.acme, by: FleetFixture.admin).next
            #expect(next != nil)
            for query in [
                DeviceQuery(limit: 0), DeviceQuery(limit: 1001), DeviceQuery(cursor: "zz"),
                DeviceQuery(filter: "online", cursor: next),
                DeviceQuery(sort: .created, cursor: next), DeviceQuery(filter: "nonsense"),
                DeviceQuery(filter: "domain = none"),
            ] {
                await #expect(throws: Refusal.self) {
                    try await world.fleet.list(query, in: world.acme, by: FleetFixture.admin)
                }
            }
            #expect(try await world.names(DeviceQuery(cursor: next)) == ["b"])
        }
    }

    @Test(
        "presence is written in a batch, found by lists, counted, and marked offline by a restart",
        arguments: TestDatabase.engines)
    func presence(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let presence = world.presence
            let changes = FleetTestLog<String>()
            world.bus.subscribe(to: DeviceOnline.self) { _ in changes.append("online") }
            world.bus.subscribe(to: DeviceOffline.self) { changes.append("offline \($0.reason.rawValue)") }
            let admitted = try await world.enrol(try await world.register("meter-1"))
            _ = try await world.register("meter-2")
            let first = presence.connected(admitted, via: "mqtt", address: "192.0.2.9")
            world.time.advance(by: .seconds(3))
            first.seen(at: world.time.now)
            // Memory knows at once, the database with the next batch.
            var details = try await world.fleet.show("meter-1", in: world.acme, by: FleetFixture.admin)
            #expect(details.presence.isOnline)
            #expect(details.presence.lastSeen == world.time.now)
            #expect(details.presence.connections == 1)
            #expect(try await world.names(DeviceQuery(filter: "online")) == [])
            try await presence.flush()
            #expect(try await world.names(DeviceQuery(filter: "online")) == ["meter-1"])
            #expect(try await world.names(DeviceQuery(filter: "not online")) == ["meter-2"])
            #expect(try await world.names(DeviceQuery(sort: .lastSeenDescending)) == ["meter-1", "meter-2"])
            #expect(presence.onlineCount == 1)
            let second = presence.connected(admitted, via: "https", address: nil)
            presence.disconnected(first, reason: .lost)
            presence.disconnected(first, reason: .lost)
            #expect(changes.elements == ["online"])
            world.time.advance(by: .seconds(1))
            presence.disconnected(second, reason: .closed)
            #expect(changes.elements == ["online", "offline closed"])
            try await presence.flush()
            details = try await world.fleet.show("meter-1", in: world.acme, by: FleetFixture.admin)
            #expect(!details.presence.isOnline)
            #expect(details.presence.connections == 2)
            #expect(details.presence.disconnected == world.time.now)
            #expect(details.presence.transport == "https")

            _ = presence.connected(admitted, via: "mqtt", address: nil)
            try await presence.flush()
            let again = try await world.restarted()
            let after = try await again.fleet.show("meter-1", in: again.acme, by: FleetFixture.admin)
            #expect(!after.presence.isOnline)
            #expect(after.presence.connections == 3)
        }
    }

    @Test(
        "a batch larger than one statement is written whole, and a deleted device does not come back",
        arguments: TestDatabase.engines)
    func batch(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let names = (0..<1111).map { "d-\($0)" }
            let registered = try await world.fleet.registerMany(
                world.list("name\n" + names.joined(separator: "\n")), in: world.acme, by: FleetFixture.admin)
            for device in registered.devices {
                let admitted = AdmittedDevice(
                    tenant: world.acme, tenantSlug: try #require(TenantSlug("acme")), device: device.id,
                    name: device.name,
                    domain: DomainID(high: 0, low: 0), model: nil, channels: .both, credential: nil,
                    notAfter: world.time.now, ticket: CredentialTicket(slot: 0, number: 0))
                _ = world.presence.connected(admitted, via: "mqtt", address: nil)
            }
            try await world.fleet.delete("d-7", in: world.acme, by: FleetFixture.admin)
            try await world.presence.flush()
            #expect(try await world.fleet.count(filter: "online", in: world.acme, by: FleetFixture.admin) == 1110)
            let rows = try await world.database.tenant(world.acme).read { transaction in
                try transaction.row("SELECT count(*) FROM device_presence WHERE tenant = $1")?.int(0)
            }
            #expect(rows == 1110)
        }
    }
}
