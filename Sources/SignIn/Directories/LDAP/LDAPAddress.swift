/// Where a directory server is, and how it is spoken to; never in plain text.
struct LDAPAddress: Hashable, Sendable {
    /// The host's name or address, without brackets.
    let host: String
    /// The port.
    let port: UInt16
    /// Whether TLS begins with the connection; otherwise it is asked for first (StartTLS).
    let isTLS: Bool

    /// The address spelt by `text`, or nil when it is none.
    init?(_ text: String) {
        let rest: Substring
        if text.hasPrefix("ldaps://") {
            (isTLS, rest) = (true, text.dropFirst(8))
        } else if text.hasPrefix("ldap://") {
            (isTLS, rest) = (false, text.dropFirst(7))
        } else {
            return nil
        }
        var host = rest.hasSuffix("/") ? rest.dropLast() : rest
        var port: UInt16 = isTLS ? 636 : 389
        if let colon = host.lastIndex(of: ":"), host.last != "]" {
            guard let number = UInt16(host[host.index(after: colon)...]), number > 0 else { return nil }
            port = number
            host = host[..<colon]
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard (1...253).contains(host.utf8.count),
            host.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: isBracketed && byte == UInt8(ascii: ":")
                }
            })
        else { return nil }
        self.host = String(host)
        self.port = port
    }

    /// The address as libldap reads it.
    var text: String { "\(isTLS ? "ldaps" : "ldap")://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
