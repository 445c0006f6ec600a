import Base
import Synchronization
import Testing

@testable import SignIn

@Suite("The throttle of sign-ins")
struct SignInThrottleTests {
    private final class Clock: Sendable {
        let now = Mutex(Timestamp(microseconds: 1_790_000_000_000_000))
        var wall: WallClock { WallClock { self.now.withLock { $0 } } }
        func advance(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
    }

    private static func origin(_ address: String) -> Origin { Origin(address: address) }

    @Test("delays begin after the free failures, double, and end at the longest")
    func delays() {
        let throttle = SignInThrottle()
        #expect((0...5).allSatisfy { throttle.delay(after: $0) == .zero })
        #expect((6...9).map { throttle.delay(after: $0) } == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
        #expect(throttle.delay(after: 16) == .seconds(900))
    }

    @Test("a delay never falls as failures rise, and no number of them overflows")
    func monotone() {
        let throttle = SignInThrottle()
        var last = Duration.zero
        for failures in Array(0...200) + [1000, 1 << 20, Int.max] {
            let delay = throttle.delay(after: failures)
            #expect(delay >= last && delay <= .seconds(900))
            last = delay
        }
        var settings = SignInThrottle.Settings()
        settings.firstDelay = .seconds(Int64.max / 2_000_000)
        #expect(SignInThrottle(settings: settings).delay(after: Int.max) == settings.longestDelay)
    }

    @Test("failures from one network do not delay the account's holder in another")
    func victims() throws {
        let clock = Clock()
        let throttle = SignInThrottle(clock: clock.wall)
        var isShut = false
        for _ in 0..<20 {
            isShut = try !throttle.begin("ann@example.com", realm: .people, from: Self.origin("203.0.113.5")).isOpen
        }
        #expect(isShut)
        #expect(try throttle.begin("ann@example.com", realm: .people, from: Self.origin("198.51.100.9")).isOpen)
        #expect(try throttle.begin("bob@example.com", realm: .people, from: Self.origin("203.0.113.5")).isOpen)
        #expect(try throttle.begin("ann@example.com", realm: .platform, from: Self.origin("203.0.113.5")).isOpen)
        // A neighbour in the same network is the same guesser.
        #expect(try !throttle.begin("ANN@example.com", realm: .people, from: Self.origin("203.0.113.77")).isOpen)
        #expect(try !throttle.begin("ann@example.com", realm: .people, from: Self.origin("::ffff:203.0.113.8")).isOpen)
        // Trying all the time does not keep it shut for longer.
        clock.advance(.seconds(2))
        #expect(try throttle.begin("ann@example.com", realm: .people, from: Self.origin("203.0.113.5")).isOpen)
    }

    @Test("a success forgets the failures, and an attempt that was not looked at counts as none")
    func forgets() throws {
        let clock = Clock()
        let throttle = SignInThrottle(clock: clock.wall)
        let here = Self.origin("2001:db8::1")
        for _ in 0..<5 { _ = try throttle.begin("ann", realm: .people, from: here) }
        let right = try throttle.begin("ann", realm: .people, from: here)
        #expect(right.isOpen)
        throttle.succeed(right)
        for _ in 0..<5 { #expect(try throttle.begin("ann", realm: .people, from: here).isOpen) }
        throttle.withdraw(try throttle.begin("ann", realm: .people, from: here))
        #expect(try throttle.begin("ann", realm: .people, from: here).isOpen)
        #expect(try !throttle.begin("ann", realm: .people, from: here).isOpen)
        clock.advance(.seconds(2 * 86_400))
        for _ in 0..<5 { #expect(try throttle.begin("ann", realm: .people, from: here).isOpen) }
    }

    @Test("an attempt that was not looked at takes back its own failure and nobody else's")
    func withdrawn() throws {
        let clock = Clock()
        let throttle = SignInThrottle(clock: clock.wall)
        let here = Self.origin("192.0.2.1")
        let early = try throttle.begin("ann", realm: .people, from: here)
        for _ in 0..<5 { _ = try throttle.begin("ann", realm: .people, from: here) }
        // Six count; the first of them is taken back, which leaves those that failed meanwhile.
        throttle.withdraw(early)
        clock.advance(.seconds(1))
        #expect(try throttle.begin("ann", realm: .people, from: here).isOpen)
        #expect(try !throttle.begin("ann", realm: .people, from: here).isOpen)
    }

    @Test("beyond a hundred failures from everywhere an account is crowded; a success before forgets them")
    func crowd() throws {
        let clock = Clock()
        let throttle = SignInThrottle(clock: clock.wall)
        #expect((0...100).allSatisfy { throttle.crowdDelay(after: $0) == .zero })
        #expect(
            [101, 102, 103].map { throttle.crowdDelay(after: $0) } == [.seconds(60), .seconds(120), .seconds(240)])
        #expect(throttle.crowdDelay(after: 1 << 20) == .seconds(3600))
        func attempt(_ number: Int) throws -> SignInThrottle.Attempt {
            try throttle.begin("ann", realm: .people, from: Self.origin("10.\(number / 256).\(number % 256).1"))
        }
        for number in 0..<100 { #expect(try !attempt(number).isCrowded) }
        throttle.succeed(try attempt(100))
        for number in 101...201 { #expect(try !attempt(number).isCrowded) }
        let crowded = try attempt(202)
        #expect(crowded.isOpen && crowded.isCrowded)
        #expect(try !throttle.begin("bob", realm: .people, from: Self.origin("10.0.0.1")).isCrowded)
        // What waits because of the crowd makes nobody wait longer, and what is right then lets no crowd in.
        throttle.succeed(try attempt(203))
        clock.advance(.seconds(61))
        #expect(try !attempt(204).isCrowded)
        #expect(try attempt(205).isCrowded)
        clock.advance(.seconds(2 * 86_400))
        #expect(try !attempt(206).isCrowded && !attempt(207).isCrowded)
    }

    @Test("a network has a budget over all accounts, which comes back with time")
    func budget() throws {
        let clock = Clock()
        let throttle = SignInThrottle(clock: clock.wall)
        let here = Self.origin("192.0.2.1")
        for number in 0..<60 { _ = try throttle.begin("user\(number)", realm: .people, from: here) }
        #expect(throws: Refusal(.limited, "signin.limited", "")) {
            try throttle.begin("another", realm: .people, from: here)
        }
        #expect(throws: Refusal(.limited, "signin.limited", "")) { try throttle.charge(here) }
        #expect(try throttle.begin("another", realm: .people, from: Self.origin("192.0.3.1")).isOpen)
        clock.advance(.seconds(5))
        #expect(try throttle.begin("another", realm: .people, from: here).isOpen)
        #expect(throws: Refusal.self) { try throttle.charge(here) }
        // Whoever signs in rightly costs the network nothing.
        clock.advance(.seconds(10))
        for _ in 0..<500 { throttle.succeed(try throttle.begin("ann", realm: .people, from: here)) }
    }

    @Test("a clock set back or far ahead neither traps nor locks anybody out")
    func clocks() throws {
        let clock = Clock()
        let throttle = SignInThrottle(clock: clock.wall)
        let here = Self.origin("192.0.2.1")
        for _ in 0..<16 {
            _ = try throttle.begin("ann", realm: .people, from: here)
            clock.advance(.seconds(900))
        }
        #expect(try throttle.begin("ann", realm: .people, from: here).isOpen)
        for time in [Timestamp(microseconds: 0), Timestamp(microseconds: .min), Timestamp(microseconds: .max)] {
            clock.now.withLock { $0 = time }
            _ = try throttle.begin("ann", realm: .people, from: here)
        }
        clock.now.withLock { $0 = Timestamp(microseconds: 1_000_000) }
        #expect(try throttle.begin("ann", realm: .people, from: here).isOpen)
    }

    @Test(
        "what is remembered is bounded whatever comes, and a guesser can not wash their failures out", arguments: 1...5)
    func bounded(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        let clock = Clock()
        var settings = SignInThrottle.Settings()
        settings.capacity = 64
        let throttle = SignInThrottle(settings: settings, clock: clock.wall)
        let here = Self.origin("203.0.113.1")
        for _ in 0..<12 { _ = try? throttle.begin("ann", realm: .people, from: here); clock.advance(.seconds(1)) }
        _ = try? throttle.begin("ann", realm: .people, from: here)
        for _ in 0..<2000 {
            let address =
                "\(UInt8.random(in: 1...99, using: &generator)).\(UInt8.random(in: 0...255, using: &generator)).7.1"
            let attempt = try? throttle.begin(
                "user\(Int.random(in: 0...999, using: &generator))", realm: .people, from: Self.origin(address))
            if let attempt, Bool.random(using: &generator) { throttle.succeed(attempt) }
            if let attempt, Int.random(in: 0...9, using: &generator) == 0 { throttle.withdraw(attempt) }
            #expect(throttle.count <= 2 * settings.capacity)
        }
        #expect(try !throttle.begin("ann", realm: .people, from: here).isOpen)
    }

    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64
        init(_ seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }
}
