import Base

/// Where an answer to an authorization may go: registered beforehand, and compared exactly.
///
/// Either `https` anywhere, `http` on this very machine by its address (RFC 8252, section 7.3), or a scheme of the
/// program's own, which is a domain name turned round (section 7.1).
public struct RedirectURI: Hashable, Sendable {
    /// The text, byte for byte as it was registered.
    public let text: String
    private let port: Range<String.Index>?

    /// The address spelt by `text`, or nil when no answer may go there.
    public init?(_ text: String) {
        // Only what an address may hold without being escaped; a backslash is a slash to some browsers.
        guard text.utf8.count <= OAuthLimits.addressBytes,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}#".utf8.contains($0) }),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        let scheme = text[..<colon]
        let rest = text[text.index(after: colon)...]
        self.text = text
        switch scheme {
        case "https", "http":
            guard rest.hasPrefix("//") else { return nil }
            let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
            guard !authority.contains("@"), let parts = Self.split(authority) else { return nil }
            if scheme == "https" {
                guard Self.isHost(parts.host) else { return nil }
                port = nil
            } else {
                guard parts.host == "127.0.0.1" || parts.host == "[::1]" else { return nil }
                port = authority.index(authority.startIndex, offsetBy: parts.host.count)..<authority.endIndex
            }
        default:
            // Without a dot it could be javascript:, data: or another program's.
            guard scheme.contains("."), !scheme.hasPrefix("."), !scheme.hasSuffix("."),
                scheme.first?.isLetter == true, rest.hasPrefix("/"),
                scheme.utf8.allSatisfy({ Self.isLowercaseOrDigit($0) || "+-.".utf8.contains($0) })
            else { return nil }
            port = nil
        }
    }

    private static func split(_ authority: Substring) -> (host: Substring, port: Substring)? {
        let host: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[...end]
        } else {
            host = authority.prefix { $0 != ":" }
        }
        let rest = authority[host.endIndex...]
        if rest.isEmpty { return (host, rest) }
        let port = rest.dropFirst()
        guard rest.first == ":", (1...5).contains(port.utf8.count),
            port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port), number > 0
        else { return nil }
        return (host, port)
    }

    private static func isLowercaseOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (0x30...0x39).contains(byte)
    }

    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") {
            return host.utf8.count > 4
                && host.dropFirst().dropLast().utf8.allSatisfy {
                    $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") || Self.isLowercaseOrDigit($0)
                }
        }
        return (1...253).contains(host.utf8.count) && !host.hasPrefix(".") && !host.hasPrefix("-")
            && host.utf8.allSatisfy { Self.isLowercaseOrDigit($0) || "-.".utf8.contains($0) }
    }

    /// Whether an answer may go to `asked` when this one is registered: only when it is the same text.
    ///
    /// On the machine itself the port may be another, because a program takes whichever is free.
    public func allows(_ asked: RedirectURI) -> Bool {
        if text == asked.text { return true }
        guard let port, let askedPort = asked.port else { return false }
        return text[..<port.lowerBound] == asked.text[..<askedPort.lowerBound]
            && text[port.upperBound...] == asked.text[askedPort.upperBound...]
    }

    /// The address with these values added to its query.
    public func adding(_ values: KeyValuePairs<String, String?>) -> String {
        var address = text
        for (name, value) in values {
            guard let value else { continue }
            address += address.contains("?") ? (address.hasSuffix("?") || address.hasSuffix("&") ? "" : "&") : "?"
            address += name.percentEncoded + "=" + value.percentEncoded
        }
        return address
    }
}
