import Base
import Testing

@Suite("Network addresses and their ranges")
struct NetworkAddressTests {
    @Test(
        "a range holds the addresses that share its prefix",
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false), ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false), ("::/0", "2001:db8::1", true),
            ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("fe80::/10", "fe80::1%eth0", true),
        ])
    func holds(range: String, address: String, isInside: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try #require(NetworkAddress(address))) == isInside)
    }

    @Test(
        "what is no range is refused",
        arguments: [
            "", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.7/24", "192.0.2/24",
            "2001:db8::/129", "example.com", "192.0.2.0/24/24", "1.2.3.4 ", "fe80::1%eth0/64",
            "192.0.2.0/99999999999999",
        ])
    func refused(text: String) { #expect(AddressRange(text) == nil) }

    @Test(
        "a range is written as it is read",
        arguments: [
            ("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.7", "192.0.2.7/32"), ("2001:DB8::/32", "2001:db8::/32"),
        ])
    func written(text: String, expected: String) throws {
        let range = try #require(AddressRange(text))
        #expect(range.description == expected)
        #expect(AddressRange(range.description) == range)
    }

    @Test("the network around an address has as many bits as it is given")
    func around() throws {
        let address = try #require(NetworkAddress("192.0.2.77"))
        #expect(AddressRange(around: address, bits: 24).description == "192.0.2.0/24")
        #expect(AddressRange(around: address, bits: 48).description == "192.0.2.77/32")
        #expect(
            AddressRange(around: try #require(NetworkAddress("2001:db8:1:2::3")), bits: 48).description
                == "2001:db8:1::/48")
    }
}
