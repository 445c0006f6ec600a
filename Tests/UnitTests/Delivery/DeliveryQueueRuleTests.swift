import Base
import Testing

@testable import Delivery

@Suite("When a delivery is tried, and by whom")
struct DeliveryQueueRuleTests {
    @Test("each wait is four times the one before, half of it chance, up to six hours")
    func backoff() {
        #expect(Backoff.wait(after: 1, chance: 0) == .seconds(5))
        #expect(Backoff.wait(after: 1, chance: 1) == .milliseconds(2500))
        #expect(Backoff.wait(after: 2, chance: 0) == .seconds(20))
        #expect(Backoff.wait(after: 3, chance: 0.5) == .seconds(60))
        #expect(Backoff.wait(after: 7, chance: 0) == .seconds(20_480))
        for attempts in [8, 12, 1000, Int.max] {
            #expect(Backoff.wait(after: attempts, chance: 0) == Backoff.longest)
        }
        #expect(Backoff.wait(after: 0, chance: 7) == .milliseconds(2500))
        let all = (1..<DeliveryLimits.attempts).reduce(Duration.zero) { $0 + Backoff.wait(after: $1, chance: 0.5) }
        #expect(all > .seconds(20 * 3600) && all < .seconds(60 * 3600))
    }

    private let start = Timestamp(microseconds: 1_790_000_000_000_000)

    private static let outage = Outcome.failed("no connection", isOutage: true)

    @Test("five outages in a row pause an outlet; then one attempt decides")
    func breaker() {
        var breaker = Breaker()
        func admits(after seconds: Int64) -> Bool { breaker.admits(at: start + .seconds(seconds)) }
        for _ in 0..<4 {
            breaker.note(Self.outage, at: start)
            #expect(admits(after: 0))
        }
        breaker.note(Self.outage, at: start)
        #expect([admits(after: 0), admits(after: 29)] == [false, false])
        #expect([admits(after: 30), admits(after: 30)] == [true, false], "only one attempt decides")
        breaker.note(Self.outage, at: start + .seconds(30))
        #expect([admits(after: 89), admits(after: 90)] == [false, true])
        breaker.release()
        #expect(admits(after: 90), "an admission that was not used is given again")
        breaker.note(.delivered("HTTP 200"), at: start + .seconds(91))
        #expect(breaker == Breaker())
        #expect(admits(after: 91))
    }

    @Test("what the receiver says about one message says nothing against the outlet")
    func breakerAndMessages() {
        var breaker = Breaker()
        for _ in 0..<20 {
            breaker.note(.refused("SMTP 550"), at: start)
            breaker.note(.failed("SMTP 451", isOutage: false), at: start)
        }
        #expect(breaker == Breaker())
    }

    @Test("no pause is longer than ten minutes")
    func longestPause() throws {
        var breaker = Breaker()
        for _ in 0..<200 { breaker.note(.failed("timed out", isOutage: true), at: start) }
        #expect(try #require(breaker.pausedUntil) == start + Breaker.longestPause)
    }

    private func lane(_ tenant: UInt64, _ outlet: UInt64) -> Lane {
        Lane(tenant: TenantID(high: 0, low: tenant), id: OutletID(high: 0, low: outlet))
    }

    @Test("a lane, a tenant, and all that failed together have their bounds; what works always finds room")
    func slots() {
        var slots = Slots()
        func begin(_ lane: Lane, isSuspect: Bool = false) -> Bool { slots.begin(lane, isSuspect: isSuspect) }
        let one = lane(1, 1)
        #expect([begin(one), begin(one), begin(one)] == [true, true, false], "two for one lane")
        for outlet in 2...4 {
            #expect([begin(lane(1, UInt64(outlet))), begin(lane(1, UInt64(outlet)))] == [true, true])
        }
        #expect(!begin(lane(1, 9)), "eight for one tenant")
        let suspects = (2..<200).filter { begin(lane(UInt64($0), 1), isSuspect: true) }
        #expect(suspects.count == DeliveryLimits.suspectTransfers)
        #expect(begin(lane(500, 1)), "whoever's outlet works is not held up")
        for tenant in suspects { slots.end(lane(UInt64(tenant), 1), isSuspect: true) }
        slots.end(one, isSuspect: false)
        #expect(begin(one))
        #expect(slots.used == 9)
    }

    @Test("a suspect outlet gets one attempt at a time")
    func suspectLane() {
        var slots = Slots()
        let first = slots.begin(lane(1, 1), isSuspect: true)
        let second = slots.begin(lane(1, 1), isSuspect: true)
        #expect(first && !second)
    }
}
