import Testing

@testable import Northbound

@Suite struct SlowPeerTests {
    private let second: Int64 = 1_000_000_000

    @Test("one who drips a body byte by byte is too slow in the end")
    func drips() {
        var peer = SlowPeer()
        peer.requestBegan()
        var now: Int64 = 0
        for _ in 0..<NorthboundLimits.slowGraceSeconds {
            #expect(!peer.isTooSlow(at: now))
            peer.readBegan(at: now)
            now += second
            peer.received(1, at: now)
        }
        peer.readBegan(at: now)
        #expect(peer.isTooSlow(at: now + second))
    }

    @Test("one who sends at the least rate is never too slow")
    func steady() {
        var peer = SlowPeer()
        peer.requestBegan()
        var now: Int64 = 0
        for _ in 0..<1000 {
            peer.readBegan(at: now)
            now += second
            peer.received(NorthboundLimits.slowBytesPerSecond, at: now)
            #expect(!peer.isTooSlow(at: now))
        }
    }

    @Test("time in which the server does not read is not the peer's")
    func serverIsSlow() {
        var peer = SlowPeer()
        peer.requestBegan()
        peer.readBegan(at: 0)
        peer.received(1, at: second)
        #expect(!peer.isTooSlow(at: 1000 * second))
    }

    @Test("a complete request and its answer take as long as they take")
    func complete() {
        var peer = SlowPeer()
        peer.requestBegan()
        peer.requestEnded()
        peer.readBegan(at: 0)
        #expect(!peer.isTooSlow(at: 1000 * second))
    }

    @Test("one who takes nothing of the answer is too slow in the end")
    func stalled() {
        var peer = SlowPeer()
        peer.writabilityChanged(false, at: 0)
        peer.writabilityChanged(false, at: 10 * second)
        #expect(!peer.isTooSlow(at: Int64(NorthboundLimits.stalledSeconds) * second))
        #expect(peer.isTooSlow(at: Int64(NorthboundLimits.stalledSeconds + 1) * second))
        peer.writabilityChanged(true, at: 61 * second)
        #expect(!peer.isTooSlow(at: 1000 * second))
    }
}
