import Testing

@testable import Northbound

@Suite struct ListenerAddressTests {
    @Test(
        "an address is a host and a port",
        arguments: [
            ("127.0.0.1:8443", "127.0.0.1", 8443), ("[::1]:0", "::1", 0), ("localhost:65535", "localhost", 65_535),
        ])
    func parses(text: String, host: String, port: Int) throws {
        let address = try #require(ListenerAddress(text))
        #expect(address == ListenerAddress(host: host, port: port))
        #expect(address.isLoopback)
        #expect(address.description == text)
    }

    @Test("anything else is none", arguments: ["", ":1", "a", "a:", "a:65536", "a:-1", "::1:80", "[]:1", "a:1x"])
    func refuses(text: String) {
        #expect(ListenerAddress(text) == nil)
    }

    @Test("only loopback addresses count as such", arguments: ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "example.com:1"])
    func loopback(text: String) throws {
        #expect(try !#require(ListenerAddress(text)).isLoopback)
    }
}
