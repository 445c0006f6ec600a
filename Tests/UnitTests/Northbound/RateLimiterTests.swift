import Base
import Synchronization
import Testing

@testable import Northbound

@Suite struct RateLimiterTests {
    private final class Hand: Sendable {
        let time = Mutex(Timestamp(microseconds: 0))
        var clock: WallClock { WallClock { self.time.withLock { $0 } } }
        func turn(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    @Test("a caller has two seconds' worth at once, then its rate")
    func rate() {
        let hand = Hand()
        let limiter = RateLimiter<Int>(clock: hand.clock)
        for _ in 0..<20 { #expect(limiter.take(1, perSecond: 10) == nil) }
        #expect(limiter.take(1, perSecond: 10) == .microseconds(100_000))
        #expect(limiter.take(2, perSecond: 10) == nil)
        hand.turn(.milliseconds(200))
        #expect(limiter.take(1, perSecond: 10) == nil)
        #expect(limiter.take(1, perSecond: 10) == nil)
        #expect(limiter.take(1, perSecond: 10) != nil)
    }

    @Test("a clock set back takes nothing away")
    func clockSetBack() {
        let hand = Hand()
        let limiter = RateLimiter<Int>(clock: hand.clock)
        #expect(limiter.take(1, perSecond: 10) == nil)
        hand.turn(.seconds(-1000))
        #expect(limiter.take(1, perSecond: 10) == nil)
    }

    @Test("a crowd of callers does not fill the memory")
    func crowd() {
        let hand = Hand()
        let limiter = RateLimiter<Int>(clock: hand.clock, capacity: 100)
        for caller in 0..<10_000 { #expect(limiter.take(caller, perSecond: 1) == nil) }
    }
}
