import NIOCore
import Testing

@testable import Southbound

@Suite("Addresses and counts of connections")
struct SouthboundCountTests {
    static func address(_ text: String) throws -> ClientAddress {
        try #require(ClientAddress(SocketAddress(ipAddress: text, port: 1)))
    }

    @Test(
        "an address is written as people write it",
        arguments: ["192.0.2.1", "0.0.0.0", "255.255.255.255", "::1", "2001:db8::5", "fe80::1:2:3:4"])
    func text(address: String) throws { #expect(try Self.address(address).text == address) }

    @Test("IPv4 in its IPv6 form is the same address")
    func mapped() throws { #expect(try Self.address("::ffff:192.0.2.1") == Self.address("192.0.2.1")) }

    @Test("the addresses of one /64 are one source, those of IPv4 are not")
    func sources() throws {
        #expect(try Self.address("2001:db8::1").source == Self.address("2001:db8::ffff:1").source)
        #expect(try Self.address("2001:db8::1").source != Self.address("2001:db8:0:1::1").source)
        #expect(try Self.address("192.0.2.1").source != Self.address("192.0.2.2").source)
    }

    @Test("connections and handshakes are bounded, in all and for one source")
    func bounds() throws {
        var limits = SouthboundLimits()
        limits.connections = 4
        limits.connectionsPerAddress = 3
        limits.handshakesPerAddress = 2
        let counts = SourceCounts(limits: limits)
        let (one, other) = (try Self.address("192.0.2.1"), try Self.address("192.0.2.2"))
        #expect(counts.begin(one) == .admitted)
        #expect(counts.begin(one) == .admitted)
        #expect(counts.begin(one) == .sourceBusy)
        counts.finishHandshake(one)
        #expect(counts.begin(one) == .admitted)
        counts.finishHandshake(one)
        #expect(counts.begin(one) == .sourceFull)
        #expect(counts.begin(other) == .admitted)
        #expect(counts.begin(other) == .full)
        #expect(counts.open == 4)
    }

    @Test("a source without connections takes no memory")
    func forgets() throws {
        let counts = SourceCounts(limits: SouthboundLimits())
        let one = try Self.address("192.0.2.1")
        for _ in 0..<3 { _ = counts.begin(one) }
        for _ in 0..<3 {
            counts.finishHandshake(one)
            counts.end(one)
        }
        #expect(counts.open == 0)
        #expect(counts.handshakes == 0)
        #expect(counts.sources == 0)
    }

    @Test("unfinished bodies share one budget")
    func bodies() {
        let budget = BodyBudget(limit: 10)
        #expect(budget.take(6))
        #expect(!budget.take(5))
        #expect(budget.take(4))
        budget.give(10)
        #expect(budget.bytes == 0)
    }
}
