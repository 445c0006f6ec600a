import Base
import Storage
import Testing

@testable import Audit

/// Pages of a long log by filters that no single index serves: they are found, and no page reads without bound.
@Suite struct AuditSearchTests {
    /// 12,000 entries by `busy`, the oldest of them about device `rare`; one by `quiet` in the middle.
    private static func withLog(
        _ engine: TestDatabase.Engine, _ body: (AuditFixture) async throws -> Void
    ) async throws {
        try await AuditFixture.with(engine) { world in
            let start = world.time.now
            for part in 0..<12 {
                let entries = (0..<1000).map { offset in
                    let number = part * 1000 + offset
                    var entry = world.entry(
                        number, code: number == 3 ? AuditCode("device.revoked", "") : AuditFixture.code)
                    entry.actor = Actor(kind: .user, id: number == 6000 ? "quiet" : "busy", name: "Ada")
                    entry.object = AuditObject(kind: number < 5 ? "rare" : "device", id: "d\(number)")
                    entry.time = start + .milliseconds(number)
                    return entry
                }
                let log = world.log
                try await world.database.tenant(world.tenant).write { try log.record(entries, in: $0) }
                try await log.settle()
            }
            try await body(world)
        }
    }

    /// Every page until the end: what was found, and how many pages there were.
    private static func all(_ world: AuditFixture, _ filter: AuditFilter) async throws -> (ids: [String], pages: Int) {
        var (ids, pages, cursor): ([String], Int, String?) = ([], 0, nil)
        repeat {
            let page = try await world.log.page(
                tenant: world.tenant, filter: filter, after: cursor, limit: 20, reader: .system("test"))
            ids += page.entries.map(\.object.id)
            pages += 1
            cursor = page.next
            #expect(page.searchedTo == nil || (page.entries.count < 20 && page.next != nil))
            try #require(pages < 700)
        } while cursor != nil
        return (ids, pages)
    }

    @Test("what is rare is found by going on, whichever parts the filter has", arguments: TestDatabase.engines)
    func rare(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            let byKind = try await Self.all(world, AuditFilter(actor: "busy", objectKind: "rare"))
            #expect(byKind.ids == ["d4", "d3", "d2", "d1", "d0"] && byKind.pages == 2)
            let byCode = try await Self.all(world, AuditFilter(codePrefix: "device.revoked", actor: "busy"))
            #expect(byCode.ids == ["d3"] && byCode.pages == 2)
            let kindAlone = try await Self.all(world, AuditFilter(objectKind: "rare"))
            #expect(kindAlone.ids.count == 5 && kindAlone.pages == 2)
            let codes = try await Self.all(world, AuditFilter(codePrefix: "device.", objectKind: "rare"))
            #expect(codes.ids == ["d4", "d3", "d2", "d1", "d0"])
            let one = try await Self.all(
                world, AuditFilter(codePrefix: "device.", actor: "quiet", objectKind: "device"))
            #expect(one.ids == ["d6000"] && one.pages == 1)
        }
    }

    @Test("a list is written out whole, across the bounds of pages", arguments: TestDatabase.engines)
    func list(engine: TestDatabase.Engine) async throws {
        try await Self.withLog(engine) { world in
            var count = 0
            try await world.log.list(tenant: world.tenant, filter: AuditFilter(actor: "busy"), reader: .system("test"))
            {
                count += $0.count
            }
            #expect(count == 11_999)
            var rare = 0
            try await world.log.list(
                tenant: world.tenant, filter: AuditFilter(actor: "busy", objectKind: "rare"), reader: .system("test")
            ) { rare += $0.count }
            #expect(rare == 5)
            let page = try await world.log.page(
                tenant: world.tenant, filter: AuditFilter(codePrefix: "audit.exported"), reader: .system("test"))
            #expect(page.entries.count == 2 && page.entries[0].details["objectKind"]?.string == "rare")
        }
    }
}
