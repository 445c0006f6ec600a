/// Where an HTTPS request goes: a URL whose host is fixed, without a user, a fragment or anything but printable ASCII.
struct HTTPSAddress: Hashable, Sendable {
    let text: String
    /// Scheme, host and port: what a secret is given to.
    let origin: String

    /// The address spelt by `text`, or nil when it is none.
    init?(_ text: String) {
        let scheme = "https://"
        guard text.hasPrefix(scheme), text.utf8.count <= DeliveryLimits.addressBytes,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#""<>\^`|#"#.utf8.contains($0) })
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard Self.isAuthority(authority) else { return nil }
        self.text = text
        origin = scheme + authority.lowercased()
    }

    private static func isAuthority(_ text: Substring) -> Bool {
        var host = text
        if let colon = text.lastIndex(of: ":"), text.last != "]" {
            let port = text[text.index(after: colon)...]
            guard port.utf8.count <= 5, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port),
                (1...65_535).contains(number)
            else { return false }
            host = text[..<colon]
        }
        return isHost(host)
    }

    /// Whether this is a host name, an IPv4 address or an IPv6 address in brackets.
    static func isHost(_ text: some StringProtocol) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = text.dropFirst().dropLast()
            return (2...45).contains(inner.utf8.count) && inner.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        return (1...253).contains(text.utf8.count) && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
