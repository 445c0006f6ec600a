import Base
import Foundation
import Storage
import Testing

@testable import Fleet
@testable import Watch

/// Many devices that go silent at once; TIDEGATE_TEST_ALERT_SITES says how many thousands.
@Suite struct AlertLoadTests {
    @Test(
        "many sites with a thousand devices each that go silent at once are one alert each within seconds",
        arguments: TestDatabase.engines)
    func many(engine: TestDatabase.Engine) async throws {
        let wanted = ProcessInfo.processInfo.environment["TIDEGATE_TEST_ALERT_SITES"].flatMap(Int.init)
        let (sites, each) = (wanted ?? 20, 1000)
        try await WatchFixture.with(engine, berlin: 1, paris: 1) { world in
            try await world.rule(to: [.init(webhook: try await world.application())])
            var lines = ""
            for site in 0..<sites {
                try await world.world.domain("site-\(site)")
                for number in 0..<each { lines += "s\(site)-\(number),site-\(site)\n" }
                guard site % 20 == 19 || site == sites - 1 else { continue }
                let list = try world.world.list("name,domain\n" + lines)
                _ = try await world.world.fleet.registerMany(list, in: world.world.acme, by: WatchFixture.admin)
                lines = ""
            }
            try await world.world.database.tenant(world.world.acme).write {
                try $0.execute("UPDATE device SET status = 1, enrolled = created WHERE tenant = $1")
            }
            let restarted = try await world.restarted()
            let clock = ContinuousClock()
            try await restarted.pass(1)
            // Late at the same moment, then silent at the same moment.
            let late = try await clock.measure { try await restarted.pass(25) }
            #expect(try await restarted.summaries().filter { $0.hasSuffix("1000 devices are late") }.count == sites)
            try await restarted.pass(35)
            let silent = try await clock.measure { try await restarted.pass(5) }
            #expect(try await restarted.summaries().filter { $0.hasSuffix("1000 devices are silent") }.count == sites)
            #expect(try await restarted.messages().count == sites + 2)
            print("alerts on \(engine): \(sites * each) devices late in \(late), silent in \(silent)")
            // A debug build beside other work; docs/performance.md has what was measured.
            #expect(silent < .seconds(120))
            let again = try await restarted.restarted()
            let start = try await clock.measure { try await again.watch.turn() }
            print("alerts on \(engine): found again at the start in \(start)")
            #expect(try await again.alerts(open: nil).count == sites + 2)
        }
    }
}
