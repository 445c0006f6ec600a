import Base
import Testing

@testable import SignIn

@Suite("counts of wrong guesses")
struct GuessCountTests {
    static let start = Timestamp(microseconds: 1_790_000_000_000_000)

    /// Small, fast and the same everywhere.
    struct Sequence: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    @Test(
        "the first guesses cost nothing, then each doubles the wait up to the longest",
        arguments: GuessCount.Reach.allCases)
    func doubling(reach: GuessCount.Reach) {
        var count = GuessCount()
        var expected: [Duration?] = Array(repeating: nil, count: Int(reach.free) - 1)
        var wait = reach.first
        for _ in 0..<20 {
            expected.append(wait)
            wait = min(wait * 2, reach.longest)
        }
        for one in expected {
            count = count.failed(at: Self.start)
            #expect(count.wait(reach, at: Self.start) == one)
        }
    }

    @Test(
        "whatever happens, a wait is never longer than the longest and always ends", arguments: 0..<50 as Range<UInt64>)
    func bounded(seed: UInt64) {
        var generator = Sequence(state: seed)
        var (count, now) = (GuessCount(), Self.start)
        for _ in 0..<200 {
            // The clock may also be set back.
            now = now + .seconds(Int64.random(in: -100_000...100_000, using: &generator))
            if Bool.random(using: &generator) { count = count.failed(at: now) }
            for reach in GuessCount.Reach.allCases {
                guard let wait = count.wait(reach, at: now) else { continue }
                #expect(wait > .zero && wait <= reach.longest)
                #expect(count.failures >= reach.free)
                let end = max(count.last, now) + reach.longest
                #expect(count.wait(reach, at: end) == nil)
            }
        }
    }

    @Test("who guesses as fast as may be has some hundred guesses a day, however the guesses fall")
    func rate() {
        var (count, now, guesses) = (GuessCount(), Self.start, 0)
        let end = Self.start + .seconds(86_400)
        while now < end {
            if let wait = count.wait(.network, at: now) {
                now = now + wait
            } else {
                count = count.failed(at: now)
                guesses += 1
            }
        }
        #expect(guesses < 120)
    }

    @Test("no number in the table overflows", arguments: [Int64.min, -1, 0, 1, Int64.max])
    func extremes(number: Int64) {
        for last in [Int64.min, 0, Int64.max] {
            let count = GuessCount(failures: number, last: Timestamp(microseconds: last))
            for reach in GuessCount.Reach.allCases {
                #expect(count.wait(reach, at: Self.start) ?? .zero <= reach.longest)
            }
            #expect(count.failed(at: Self.start).failures >= 1)
        }
    }

    @Test("a day without wrong guesses forgets them")
    func memory() {
        var count = GuessCount()
        for _ in 0..<10 { count = count.failed(at: Self.start) }
        #expect(count.failed(at: Self.start + .seconds(86_399)).failures == 11)
        #expect(count.failed(at: Self.start + .seconds(86_401)).failures == 1)
    }
}
