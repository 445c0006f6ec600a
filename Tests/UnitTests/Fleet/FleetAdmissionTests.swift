import Testing

@testable import Fleet

@Suite("Rate limits and connection counts")
struct FleetAdmissionTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("a bucket lets a burst through, then its rate")
    func burst() {
        var bucket = TokenBucket(rate: 10, burst: .seconds(2))
        let start = Self.second * 100
        for _ in 0..<20 { #expect(bucket.take(1, at: start) == nil) }
        #expect(bucket.take(1, at: start) == .milliseconds(100))
        #expect(bucket.take(1, at: start + Self.second / 10) == nil)
        #expect(bucket.take(1, at: start + Self.second / 10) != nil)
        #expect(bucket.take(20, at: start + Self.second * 10) == nil)
    }

    @Test("what is refused costs nothing")
    func refusedIsFree() {
        var bucket = TokenBucket(rate: 1, burst: .seconds(1))
        #expect(bucket.take(1, at: 0) == nil)
        for _ in 0..<100 { #expect(bucket.take(1, at: 0) == .seconds(1)) }
        #expect(bucket.take(1, at: Self.second) == nil)
    }

    @Test("more than a bucket holds passes once when it is full and is paid back within a minute")
    func large() {
        var bucket = TokenBucket(rate: 1000, burst: .seconds(1))
        #expect(bucket.take(.max, at: 0) == nil)
        #expect(bucket.take(1, at: Self.second * 30) != nil)
        #expect(bucket.take(1, at: Self.second * 61) == nil)
    }

    @Test("what has come already is always paid for, so that waiting keeps to the rate", arguments: [1, 7, 20, 300])
    func paying(together: Int) {
        var bucket = TokenBucket(rate: 10, burst: .seconds(2))
        let shared = SharedTokenBucket(rate: 10, burst: .seconds(2))
        let start = Self.second * 100
        var now = start
        var paid = 0
        while paid < 3000 {
            let wait = bucket.pay(together, at: now)
            #expect(shared.pay(together, at: now) == wait)
            paid += together
            now +=
                wait.map {
                    UInt64($0.components.seconds) * Self.second + UInt64($0.components.attoseconds / 1_000_000_000)
                } ?? 0
        }
        let seconds = Double(now - start) / Double(Self.second)
        // The burst comes on top, and of more than a minute's worth at once only a minute's is paid.
        #expect(abs(seconds - (Double(paid) / 10 - 2)) < 0.001)
    }

    @Test("a debt is bounded, however much comes")
    func debt() {
        var bucket = TokenBucket(rate: 1, burst: .seconds(2))
        for _ in 0..<100 { _ = bucket.pay(.max, at: Self.second) }
        #expect(bucket.pay(0, at: Self.second) == .seconds(60))
    }

    @Test("extreme rates and amounts never trap", arguments: [Int.min, -1, 0, 1, Int.max])
    func extremes(rate: Int) {
        var bucket = TokenBucket(rate: rate)
        for units in [Int.min, -1, 0, 1, Int.max] {
            _ = bucket.take(units, at: .max / 2)
            _ = bucket.pay(units, at: .max / 2)
        }
    }

    @Test("loops that share a bucket together get no more than its rate")
    func shared() async {
        let bucket = SharedTokenBucket(rate: 1000, burst: .seconds(1))
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask { (0..<1000).reduce(0) { sum, _ in sum + (bucket.take(1, at: 5) == nil ? 1 : 0) } }
            }
            return await group.reduce(0, +)
        }
        #expect(taken == 1000)
        bucket.setRate(1_000_000)
        #expect(bucket.take(1, at: 5 + Self.second) == nil)
    }

    @Test("a counter lets no more be open than its limit, from many tasks at once")
    func counter() async {
        let counter = ConnectionCounter(limit: 100)
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask { (0..<100).reduce(0) { sum, _ in sum + (counter.acquire() ? 1 : 0) } }
            }
            return await group.reduce(0, +)
        }
        #expect(taken == 100)
        #expect(!counter.acquire())
        counter.release()
        #expect(counter.acquire())
        counter.setLimit(50)
        counter.release()
        #expect(!counter.acquire())
        #expect(counter.count == 99)
    }
}
