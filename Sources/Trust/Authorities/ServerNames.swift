import Base
import SwiftASN1
import X509

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The host names and IP addresses under which a listener is reached.
public struct ServerNames: Hashable, Sendable {
    /// The checked texts, in the order of the configuration and each once.
    public let texts: [String]
    let generalNames: [GeneralName]

    /// The names in `texts`: host names (a first label `*` is allowed), IPv4 and IPv6 addresses.
    public init(_ texts: [String]) throws {
        var seen = Set<String>()
        let unique = texts.map { $0.lowercased() }.filter { seen.insert($0).inserted }
        guard (1...Limits.serverNames).contains(unique.count) else {
            throw Refusal(
                .invalid, "trust.serverNames", "A server certificate needs 1 to \(Limits.serverNames) names.")
        }
        self.texts = unique
        generalNames = try unique.map { text in
            if let address = Self.address(text) { return .ipAddress(ASN1OctetString(contentBytes: address[...])) }
            let host = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
            guard DeploymentName(host) != nil else {
                throw Refusal(
                    .invalid, "trust.serverName",
                    "\"\(text)\" is neither a host name nor an IP address, so no certificate can carry it.")
            }
            return .dnsName(text)
        }
    }

    /// The first name if it fits a common name (64 characters), for people; programs read the alternative names.
    var commonName: String { texts.first { $0.utf8.count <= 64 } ?? "Tidegate" }

    private static func address(_ text: String) -> [UInt8]? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: &v4) { Array($0) } }
        var v6 = in6_addr()
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: &v6) { Array($0) } }
        return nil
    }
}
