#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An IPv4 or IPv6 address as its bytes; an IPv4 address in IPv6's clothing is taken for what it is.
public struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// The 4 or 16 bytes in network order.
    public let bytes: [UInt8]

    /// The address that `text` spells, or nil when it is none; a zone such as `%eth0` is left aside.
    public init?(_ text: some StringProtocol) {
        let text = String(text.prefix { $0 != "%" })
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
        } else {
            return nil
        }
    }

    private init(bytes: [UInt8]) {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        self.bytes = bytes.count == 16 && bytes.starts(with: mapped) ? Array(bytes[12...]) : bytes
    }

    /// The network around the address: what one customer of a provider usually has.
    public var surroundings: AddressRange { AddressRange(around: self, bits: bytes.count == 4 ? 24 : 48) }

    /// The address with everything behind the first `bits` set to zero.
    func masked(to bits: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(max(bits - index * 8, 0), 8)
            return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
    }

    /// The usual text.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return bytes.hex }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A range of network addresses: `192.0.2.0/24`, `2001:db8::/32`, or a single address.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The first address, with zeros behind the prefix.
    private let start: [UInt8]
    /// How many leading bits all addresses of the range share.
    public let prefix: Int

    /// The range that `text` spells, or nil when it is none. Bits behind the prefix must be zero: whoever writes
    /// `192.0.2.7/24` may mean either, and is better asked.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !parts[0].contains("%"), let address = NetworkAddress(parts[0]) else {
            return nil
        }
        let width = address.bytes.count * 8
        var prefix = width
        if parts.count == 2 {
            guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let given = Int(parts[1]), (0...width).contains(given)
            else { return nil }
            prefix = given
        }
        guard address.masked(to: prefix) == address.bytes else { return nil }
        start = address.bytes
        self.prefix = prefix
    }

    /// The range of all addresses that share the first `bits` of `address`, or fewer where it has fewer.
    public init(around address: NetworkAddress, bits: Int) {
        prefix = min(max(bits, 0), address.bytes.count * 8)
        start = address.masked(to: prefix)
    }

    /// Whether the address lies in the range.
    public func contains(_ address: NetworkAddress) -> Bool {
        address.bytes.count == start.count && address.masked(to: prefix) == start
    }

    /// Address and prefix as they are written.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = start.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, start, &text, socklen_t(text.count)) != nil else { return start.hex }
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(address)/\(prefix)"
    }
}
