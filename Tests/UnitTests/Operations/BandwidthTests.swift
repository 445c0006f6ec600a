import Base
import Synchronization
import Testing

@testable import Operations

/// How fast a tenant's devices may download.
@Suite("Bandwidth of downloads")
struct BandwidthTests {
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    private let acme = TenantID(high: 1, low: 1)
    private let rival = TenantID(high: 1, low: 2)

    @Test("a second's worth leaves at once, then everybody waits in the order in which they came")
    func waits() {
        let clock = Clock()
        let bandwidth = Bandwidth(rate: { _ in 1000 }, now: { clock.now })
        #expect(bandwidth.take(1000, of: acme) == .zero)
        #expect(bandwidth.take(500, of: acme) == .milliseconds(500))
        #expect(bandwidth.take(500, of: acme) == .seconds(1))
        // Another tenant has a bucket of its own.
        #expect(bandwidth.take(1000, of: rival) == .zero)
        clock.advance(by: .seconds(2))
        #expect(bandwidth.take(1000, of: acme) == .zero)
        // What nobody took is not saved up for longer than a second.
        clock.advance(by: .seconds(3600))
        #expect(bandwidth.take(1500, of: acme) == .milliseconds(500))
        bandwidth.forget(acme)
        #expect(bandwidth.take(1000, of: acme) == .zero)
    }

    @Test("over a while, no more leaves than the rate, however it is taken")
    func rate() throws {
        let clock = Clock()
        let bandwidth = Bandwidth(rate: { _ in 100_000 }, now: { clock.now })
        let start = clock.now
        var sent = 0
        for _ in 0..<2000 {
            let wait = try #require(bandwidth.take(1460, of: acme))
            clock.advance(by: wait)
            sent += 1460
        }
        // Sent in (sent - burst) / rate seconds: nothing more left, and nothing waited longer than it had to.
        let elapsed = clock.now - start
        let expected = Double(sent - 100_000) / 100_000
        let seconds = Double(elapsed.microseconds) / 1e6
        #expect(abs(seconds - expected) < 0.5, "\(seconds) s for \(expected) s")
    }

    @Test("what was not sent is given back, and so much is never owed that who comes next waits without end")
    func debt() throws {
        let clock = Clock()
        let bandwidth = Bandwidth(rate: { _ in 1000 }, now: { clock.now })
        let longest = try #require(Int(exactly: OperationLimits.longestPacing.components.seconds))
        #expect(bandwidth.take(1000, of: acme) == .zero)
        for _ in 0..<1000 {
            // It asks, and goes before anything is sent.
            #expect(bandwidth.take(500, of: acme) == .milliseconds(500))
            bandwidth.giveBack(500, of: acme)
        }
        var owed = 0
        while let wait = bandwidth.take(1000, of: acme) {
            owed += 1
            #expect(wait == .seconds(owed))
            guard owed < 10_000 else { break }
        }
        #expect(owed == longest)
        #expect(bandwidth.take(1, of: acme) == nil, "nothing is taken until some of it is paid back")
        clock.advance(by: .seconds(2))
        #expect(bandwidth.take(1000, of: acme) == .seconds(longest - 1))
        // What is given back is no more than a second's worth.
        bandwidth.giveBack(1_000_000, of: acme)
        #expect(bandwidth.take(1000, of: acme) == .zero)
        #expect(bandwidth.take(1000, of: acme) == .seconds(1))
        bandwidth.giveBack(1, of: rival)
        #expect(bandwidth.take(1000, of: rival) == .zero)
    }

    @Test("a plan without a rate stops nobody for ever, and no clock that goes back breaks it")
    func odd() {
        let clock = Clock()
        let bandwidth = Bandwidth(rate: { _ in 0 }, now: { clock.now })
        #expect(bandwidth.take(1, of: acme) == .zero)
        clock.advance(by: .seconds(-100))
        #expect(bandwidth.take(1, of: acme) == .seconds(1))
    }
}
