public import Base

/// Which addresses deliveries may be sent to: those of the public internet, and what the operator has named.
///
/// A tenant names hosts; what a name stands for is decided by whoever runs its name server, at any moment. So it is the
/// address that is checked, the very one that a connection is about to be opened to.
public struct NetworkPolicy: Sendable, Hashable {
    /// The networks that the operator allows although they are not public.
    public var allowed: [AddressRange]

    /// The policy that allows these networks beside the public internet.
    public init(allowed: [AddressRange] = []) {
        self.allowed = allowed
    }

    /// Whether a connection to this address may be opened.
    public func permits(_ address: NetworkAddress) -> Bool {
        allowed.contains { $0.contains(address) } || Self.isPublic(address)
    }

    /// Whether the address belongs to the public internet (IANA's special-purpose registries).
    static func isPublic(_ address: NetworkAddress) -> Bool {
        if address.bytes.count == 4 { return !special.contains { $0.contains(address) } }
        // An IPv4 address in the network's own translation (RFC 6052) is judged as what it stands for.
        if translated.contains(where: { $0.contains(address) }) {
            let inner = address.bytes.suffix(4).map { String($0) }.joined(separator: ".")
            return NetworkAddress(inner).map(isPublic) ?? false
        }
        return global.contains { $0.contains(address) } && !special.contains { $0.contains(address) }
    }

    private static func ranges(_ texts: String...) -> [AddressRange] { texts.compactMap { AddressRange($0) } }

    private static let global = ranges("2000::/3")
    private static let translated = ranges("64:ff9b::/96")

    static let special = ranges(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        // Special purposes, documentation, 6to4 (which carries any IPv4 address) and Teredo.
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
}
