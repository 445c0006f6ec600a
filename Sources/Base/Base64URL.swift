extension [UInt8] {
    /// The bytes that `base64URL` spells (RFC 4648, section 5, without padding), or nil when it is anything else.
    ///
    /// Strict, so that two texts never mean the same bytes: no padding, no white space, no bits left over.
    public init?(base64URL: some StringProtocol) {
        let text = base64URL.utf8
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for character in text {
            guard let value = Self.value(character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
                bits &= 1 << count - 1
            }
        }
        guard bits == 0 else { return nil }
        self = bytes
    }

    /// The bytes in base64url without padding.
    public var base64URL: String {
        var text: [UInt8] = []
        text.reserveCapacity(count / 3 * 4 + 4)
        var index = 0
        while index < count {
            let group = self[index..<Swift.min(index + 3, count)]
            var bits: UInt32 = 0
            for place in 0..<3 { bits = bits << 8 | (place < group.count ? UInt32(group[index + place]) : 0) }
            for place in 0...group.count {
                text.append(Self.alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)])
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
