/// Base32 (RFC 4648, section 6) without padding: how authenticator programs want to have a secret typed.
enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// The text of some bytes.
    static func text(_ bytes: [UInt8]) -> String { Letters.text(bytes, alphabet) }
}

/// Bytes written five bits at a time in an alphabet of 32.
enum Letters {
    /// Digits and capitals without those that are taken for each other: no 0 and O, no 1 and I.
    static let unambiguous = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)

    /// The text of some bytes; bits that fill no letter are followed by zeros.
    static func text(_ bytes: [UInt8], _ alphabet: [UInt8]) -> String {
        var letters: [UInt8] = []
        letters.reserveCapacity(bytes.count * 8 / 5 + 1)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                letters.append(alphabet[Int(bits >> count & 31)])
            }
            bits &= 1 << count - 1
        }
        if count > 0 { letters.append(alphabet[Int(bits << (5 - count) & 31)]) }
        return String(decoding: letters, as: UTF8.self)
    }

    /// So many letters from a generator's bits, none likelier than another.
    static func random(_ count: Int, using generator: inout some RandomNumberGenerator) -> String {
        String(
            decoding: (0..<count).map { _ in unambiguous[Int.random(in: 0..<32, using: &generator)] }, as: UTF8.self)
    }

    /// What somebody typed, in the one form: capitals, without spaces and dashes.
    static func normal(_ typed: String) -> String {
        String(typed.uppercased().filter { $0 != " " && $0 != "-" })
    }
}
