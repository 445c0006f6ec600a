/// Percent-encoding of addresses and forms (RFC 3986 section 2.1, WHATWG URL section 5.2).
extension StringProtocol {
    /// The text with every byte but the unreserved characters of RFC 3986 section 2.3 as `%XX`: it means nothing but
    /// itself in a path, a query or a form.
    public var percentEncoded: String {
        var encoded = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": encoded.unicodeScalars.append(scalar)
            default: encoded += "%" + [byte].hex.uppercased()
            }
        }
        return encoded
    }
}

extension String {
    /// The text that `encoded` stands for, in a form or query with plus signs for spaces.
    ///
    /// Nil when a percent sign is not followed by two digits, the bytes are no UTF-8, or a zero is among them: no text
    /// of ours holds one, and PostgreSQL takes none.
    public init?(percentDecoding encoded: some StringProtocol, plusIsSpace: Bool = false) {
        self.init(percentDecoding: encoded.utf8, plusIsSpace: plusIsSpace)
    }

    /// The same from the bytes of the encoded text.
    public init?(percentDecoding encoded: some Collection<UInt8>, plusIsSpace: Bool = false) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.count)
        var rest = encoded[...]
        while let byte = rest.popFirst() {
            switch byte {
            case 0: return nil
            case UInt8(ascii: "%"):
                guard let pair = [UInt8](hex: String(decoding: rest.prefix(2), as: UTF8.self)), pair.count == 1,
                    pair[0] != 0
                else { return nil }
                bytes.append(pair[0])
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        self.init(validating: bytes, as: UTF8.self)
    }
}
