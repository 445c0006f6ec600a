import Base
import Foundation
import Storage
import Testing

@testable import Access

/// Measures what a decision costs: `TIDEGATE_MEASURE=1 swift test -c release -Xswiftc -enable-testing --filter AccessTiming`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["TIDEGATE_MEASURE"] != nil))
struct AccessTimingTests {
    @Test("a decision for a reader who was here before costs at most 5 µs", arguments: TestDatabase.engines)
    func warm(engine: TestDatabase.Engine) async throws {
        try await AccessFixture.with(engine) { world in
            let principal = try await world.principal("operator", at: "plant")
            _ = try await world.share("viewer", to: "operator", from: world.rival, for: world.acme)
            let (hall, acme, access) = (try await world.domain("plant/hall"), world.acme.id, world.access)
            let count = 20_000
            func cost(isWarm: Bool) async throws -> Duration {
                try await world.database.tenant(acme).read { tx in
                    let clock = ContinuousClock()
                    try access.authorize(principal, .deviceRead, tenant: acme, domain: hall, in: tx)
                    let rounds = isWarm ? count : count / 20
                    let time = try clock.measure {
                        for _ in 0..<rounds {
                            if !isWarm { access.rights.change(at: world.database.mark()) }
                            try access.authorize(principal, .deviceRead, tenant: acme, domain: hall, in: tx)
                        }
                    }
                    return time / rounds
                }
            }
            let warm = try await cost(isWarm: true)
            let cold = try await cost(isWarm: false)
            print("authorize on \(engine.rawValue): warm \(warm), read each time \(cold)")
            #if !DEBUG
                #expect(warm <= .microseconds(5))
            #endif
        }
    }
}
