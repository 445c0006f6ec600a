import Base
import Testing

@testable import Northbound

@Suite("The caller behind trusted proxies")
struct TrustedProxiesTests {
    private static let proxies = TrustedProxies(["10.0.0.0/8", "2001:db8:1::/48"].compactMap { AddressRange($0) })

    @Test(
        "only what trusted hops wrote counts",
        arguments: [
            // No proxy, or none that is trusted: the peer calls, whatever it claims.
            ("203.0.113.9", [], "203.0.113.9"), ("203.0.113.9", ["192.0.2.1"], "203.0.113.9"),
            ("10.0.0.1", [], "10.0.0.1"), ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
            // A caller that writes the field itself gains nothing by it.
            ("10.0.0.1", ["127.0.0.1, 192.0.2.1"], "192.0.2.1"), ("10.0.0.1", ["10.9.9.9, 192.0.2.1"], "192.0.2.1"),
            // Two proxies in a row, in one field or two.
            ("10.0.0.1", ["192.0.2.1, 10.0.0.2"], "192.0.2.1"), ("10.0.0.1", ["192.0.2.1", "10.0.0.2"], "192.0.2.1"),
            ("2001:db8:1::1", ["2001:db8:9::7"], "2001:db8:9::7"), ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"), ("10.0.0.1", ["[2001:db8:9::7]:443"], "2001:db8:9::7"),
            ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"), ("10.0.0.1", ["  192.0.2.1\t"], "192.0.2.1"),
            // What can not be read ends the search at the last hop that is known.
            ("10.0.0.1", ["unknown"], "10.0.0.1"), ("10.0.0.1", ["192.0.2.1, _hidden, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", [",,,"], "10.0.0.1"), ("10.0.0.1", ["192.0.2.1, "], "10.0.0.1"),
            ("10.0.0.1", ["["], "10.0.0.1"),
            // Nobody takes the comma of a proxy into a character of their own.
            ("10.0.0.1", ["x\u{600}, 192.0.2.1"], "192.0.2.1"), ("10.0.0.1", ["x\u{D4E}", "192.0.2.1"], "192.0.2.1"),
        ] as [(String, [String], String)])
    func callers(peer: String, fields: [String], expected: String) {
        #expect(Self.proxies.caller(behind: peer, fields) == expected)
    }

    @Test("without trusted proxies, or on a socket of this machine, nothing is read")
    func none() {
        #expect(TrustedProxies().caller(behind: "10.0.0.1", ["192.0.2.1"]) == "10.0.0.1")
        #expect(Self.proxies.caller(behind: nil, ["192.0.2.1"]) == nil)
    }
}
