import Base
import NIOCore
import NIOEmbedded
import Testing

@testable import Southbound

@Suite("Deadline wheel")
struct DeadlineWheelTests {
    /// A loop whose clock the test moves, and connections on it that note when they were woken.
    final class Bench {
        final class Owner: ConnectionOwner {
            var woken: [NIODeadline] = []
            let eventLoop: EmbeddedEventLoop
            var onDeadline: (() -> Void)?
            init(_ eventLoop: EmbeddedEventLoop) { self.eventLoop = eventLoop }
            func deadlineReached() {
                woken.append(eventLoop.now)
                onDeadline?()
            }
            func drain() {}
        }

        let eventLoop = EmbeddedEventLoop()
        let loop: ConnectionLoop
        let counts = SourceCounts(limits: SouthboundLimits())

        init() { loop = ConnectionLoop(eventLoop: eventLoop, counters: SouthboundCounters(Metrics())) }

        func connection() throws -> (DeviceConnection, Owner) {
            let address = try #require(ClientAddress(SocketAddress(ipAddress: "192.0.2.1", port: 1)))
            _ = counts.begin(address)
            let connection = DeviceConnection(
                channel: EmbeddedChannel(loop: eventLoop), address: address, loop: loop, counts: counts)
            loop.handshakes.append(connection)
            let owner = Owner(eventLoop)
            connection.finishHandshake(owner: owner)
            return (connection, owner)
        }
    }

    @Test(
        "a deadline is met within a tick and never early", arguments: [0, 1, 499, 500, 501, 10_000, 300_000, 3_600_000])
    func meets(milliseconds: Int64) throws {
        let bench = Bench()
        let (connection, owner) = try bench.connection()
        let deadline = bench.eventLoop.now + .milliseconds(milliseconds)
        connection.setDeadline(deadline)
        bench.eventLoop.advanceTime(by: .milliseconds(milliseconds))
        #expect(owner.woken.allSatisfy { $0 >= deadline })
        bench.eventLoop.advanceTime(by: .milliseconds(1001))
        #expect(owner.woken.count == 1)
        #expect(owner.woken.allSatisfy { $0 >= deadline })
        #expect(bench.loop.wheel.waiting == 0)
    }

    @Test("a later deadline takes the place of an earlier one, and the other way round")
    func moves() throws {
        let bench = Bench()
        let (connection, owner) = try bench.connection()
        connection.setDeadline(in: .seconds(5))
        connection.setDeadline(in: .seconds(20))
        bench.eventLoop.advanceTime(by: .seconds(19))
        #expect(owner.woken.isEmpty)
        connection.setDeadline(in: .seconds(100))
        connection.setDeadline(in: .seconds(2))
        bench.eventLoop.advanceTime(by: .seconds(3))
        #expect(owner.woken.count == 1)
    }

    @Test("a released connection is not woken and leaves the others in place")
    func releases() throws {
        let bench = Bench()
        let all = try (0..<20).map { _ in try bench.connection() }
        for (connection, _) in all { connection.setDeadline(in: .seconds(5)) }
        for index in stride(from: 0, to: 20, by: 3) { all[index].0.release() }
        bench.eventLoop.advanceTime(by: .seconds(6))
        for (index, entry) in all.enumerated() { #expect(entry.1.woken.count == (index % 3 == 0 ? 0 : 1)) }
        for (connection, _) in all { connection.release() }
        #expect(bench.loop.open.count == 0)
        #expect(bench.counts.open == 0)
    }

    @Test("a connection that is released while its slot is visited is skipped")
    func releasesInside() throws {
        let bench = Bench()
        let (first, firstOwner) = try bench.connection()
        let (second, secondOwner) = try bench.connection()
        first.setDeadline(in: .seconds(1))
        second.setDeadline(in: .seconds(1))
        firstOwner.onDeadline = { second.release() }
        secondOwner.onDeadline = { first.release() }
        bench.eventLoop.advanceTime(by: .seconds(3))
        #expect(firstOwner.woken.count + secondOwner.woken.count == 1)
        #expect(bench.loop.wheel.waiting == 0)
    }

    @Test("the wheel agrees with a list of deadlines over a random history")
    func agrees() throws {
        var generator = SystemRandomNumberGenerator()
        let bench = Bench()
        let all = try (0..<50).map { _ in try bench.connection() }
        var expected: [NIODeadline?] = Array(repeating: nil, count: all.count)
        for _ in 0..<400 {
            let index = Int.random(in: 0..<all.count, using: &generator)
            let time = Duration.milliseconds(Int64.random(in: 1...400_000, using: &generator))
            all[index].0.setDeadline(in: time)
            expected[index] = bench.eventLoop.now + TimeAmount(time)
            let before = all.map(\.1.woken.count)
            bench.eventLoop.advanceTime(by: .milliseconds(Int64.random(in: 0...20_000, using: &generator)))
            for (index, entry) in all.enumerated() {
                guard let deadline = expected[index] else {
                    #expect(entry.1.woken.count == before[index])
                    continue
                }
                if bench.eventLoop.now >= deadline + .milliseconds(1000) {
                    #expect(entry.1.woken.count == before[index] + 1)
                }
                if entry.1.woken.count > before[index] {
                    #expect(bench.eventLoop.now >= deadline)
                    expected[index] = nil
                }
            }
        }
    }
}
