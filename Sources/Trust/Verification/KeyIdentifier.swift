import Crypto
import X509

/// A CA key's 20-byte name inside certificates: the first 160 bits of the SHA-256 of its public key (RFC 7093,
/// section 2, method 1).
struct KeyIdentifier: Hashable, Sendable {
    private let high: UInt64
    private let middle: UInt64
    private let low: UInt32

    init(of key: Certificate.PublicKey) {
        self.init(first20: SHA256.hash(data: key.subjectPublicKeyInfoBytes))
    }

    /// The identifier in `bytes`, or nil unless there are exactly 20.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 20 else { return nil }
        self.init(first20: bytes)
    }

    private init(first20 bytes: some Sequence<UInt8>) {
        var iterator = bytes.makeIterator()
        func number(_ count: Int) -> UInt64 {
            var number: UInt64 = 0
            for _ in 0..<count { number = number << 8 | UInt64(iterator.next() ?? 0) }
            return number
        }
        high = number(8)
        middle = number(8)
        low = UInt32(truncatingIfNeeded: number(4))
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20)
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: high >> shift))
        }
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: middle >> shift))
        }
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: low >> shift))
        }
        return bytes
    }
}
