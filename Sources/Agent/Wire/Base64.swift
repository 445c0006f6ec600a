import Base

extension [UInt8] {
    /// The bytes in base64 with padding (RFC 4648, section 4).
    package var base64: String {
        let plain = base64URL.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        return String(decoding: plain, as: UTF8.self) + String(repeating: "=", count: (3 - count % 3) % 3)
    }
}
