/// What a UTF-8 encoded string is worth (3.1.1, section 1.5.3; 5.0, section 1.5.4).
enum TextQuality {
    /// Well formed, without any character that the specification advises against.
    case clean
    /// Well formed, but with control characters or non-characters, which a receiver may refuse.
    ///
    /// Names of topics, filters and clients are refused then, because they end up in logs and on screens; free text such
    /// as a user property keeps its line breaks.
    case unusual
    /// Not UTF-8 [MQTT-1.5.4-1], or with U+0000 [MQTT-1.5.4-2].
    case illFormed

    init(of bytes: UnsafeRawBufferPointer) {
        var quality = TextQuality.clean
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            if lead < 0x80 {
                if lead < 0x20 || lead == 0x7F {
                    if lead == 0 {
                        self = .illFormed
                        return
                    }
                    quality = .unusual
                }
                index += 1
                continue
            }
            guard let (scalar, length) = Self.scalar(in: bytes, at: index) else {
                self = .illFormed
                return
            }
            if scalar <= 0x9F || scalar & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(scalar) { quality = .unusual }
            index += length
        }
        self = quality
    }

    /// The code point that begins at `index`, in its only allowed form: shortest encoding, no surrogate, not above U+10FFFF.
    private static func scalar(in bytes: UnsafeRawBufferPointer, at index: Int) -> (UInt32, Int)? {
        let lead = bytes[index]
        let length: Int
        var scalar: UInt32
        switch lead {
        case 0xC2...0xDF: (length, scalar) = (2, UInt32(lead & 0x1F))
        case 0xE0...0xEF: (length, scalar) = (3, UInt32(lead & 0x0F))
        case 0xF0...0xF4: (length, scalar) = (4, UInt32(lead & 0x07))
        default: return nil
        }
        guard length <= bytes.count - index else { return nil }
        for offset in 1..<length {
            let byte = bytes[index + offset]
            guard byte & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        switch length {
        case 3: return scalar >= 0x800 && !(0xD800...0xDFFF).contains(scalar) ? (scalar, length) : nil
        case 4: return scalar >= 0x1_0000 && scalar <= 0x10_FFFF ? (scalar, length) : nil
        default: return (scalar, length)
        }
    }
}
