public import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The address a peer connects from, in 16 bytes; IPv4 is kept in its mapped form.
public struct ClientAddress: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// The address part of a socket's peer, or nil for a socket without one.
    public init?(_ address: SocketAddress?) {
        guard let address else { return nil }
        switch address {
        case .v4:
            // sockaddr_in: family, port, then four bytes of address.
            high = 0
            low =
                address.withSockAddr { pointer, size in
                    UnsafeRawBufferPointer(start: pointer, count: size).loadUnaligned(
                        fromByteOffset: 4, as: UInt32.self)
                }.bigEndianMapped
        case .v6:
            // sockaddr_in6: family, port, flow, then sixteen bytes of address.
            (high, low) = address.withSockAddr { pointer, size in
                let bytes = UnsafeRawBufferPointer(start: pointer, count: size)
                return (
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
                )
            }
        default: return nil
        }
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    private var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// What counts as one source: an IPv4 address, or the /64 that one subscriber of IPv6 gets.
    var source: ClientAddress { isIPv4 ? self : ClientAddress(high: high, low: 0) }

    /// The address as people write it.
    public var text: String {
        if isIPv4 {
            return (0..<4).map { String(low >> UInt64(24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        }
        let address = (high.bigEndian, low.bigEndian)
        return String(unsafeUninitializedCapacity: Int(INET6_ADDRSTRLEN)) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                withUnsafeBytes(of: address) { address in
                    guard let base = text.baseAddress,
                        inet_ntop(AF_INET6, address.baseAddress, base, socklen_t(text.count)) != nil
                    else { return 0 }
                    return strlen(base)
                }
            }
        }
    }
}

extension ClientAddress: CustomStringConvertible {
    /// The address as people write it.
    public var description: String { text }
}

extension UInt32 {
    /// These four bytes of an IPv4 address, in network order, as the low half of their IPv6 form.
    fileprivate var bigEndianMapped: UInt64 { 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: self)) }
}
