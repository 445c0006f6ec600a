/// What an `Authorization` field carries.
enum Authorization: Hashable, Sendable {
    /// No such field.
    case none
    /// HTTP Basic (RFC 7617).
    case basic(user: String, password: String)
    /// A bearer token (RFC 6750).
    case bearer(String)
    /// hawkBit's access token of one device.
    case target(String)
    /// hawkBit's token that speaks for all devices of a tenant.
    case gateway(String)
    /// Something else, or broken.
    case unusable

    /// Reads the field's value.
    init(_ value: String?) {
        guard let value else {
            self = .none
            return
        }
        let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2 else {
            self = .unusable
            return
        }
        let credential = parts[1].drop { $0 == " " }
        switch parts[0].lowercased() {
        case "bearer":
            self = credential.utf8.count <= Limits.basicCredentialBytes ? .bearer(String(credential)) : .unusable
        case "targettoken":
            self = credential.utf8.count <= Limits.basicCredentialBytes ? .target(String(credential)) : .unusable
        case "gatewaytoken":
            self = credential.utf8.count <= Limits.basicCredentialBytes ? .gateway(String(credential)) : .unusable
        case "basic":
            guard let bytes = Base64.decode(credential.utf8, limit: Limits.basicCredentialBytes),
                let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
                let user = String(validating: bytes[..<colon], as: UTF8.self),
                let password = String(validating: bytes[(colon + 1)...], as: UTF8.self)
            else {
                self = .unusable
                return
            }
            self = .basic(user: user, password: password)
        default: self = .unusable
        }
    }
}

/// The standard base64 alphabet (RFC 4648, section 4).
enum Base64 {
    /// The bytes that `text` spells, padding optional, or nil when it is anything else or more than `limit` bytes.
    static func decode(_ text: some Collection<UInt8>, limit: Int) -> [UInt8]? {
        guard text.count <= limit / 3 * 4 + 4 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var word: UInt32 = 0
        var digits = 0
        var padding = 0
        for character in text {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(of: character) else { return nil }
            word = word << 6 | UInt32(value)
            digits += 1
            if digits == 4 {
                bytes.append(UInt8(truncatingIfNeeded: word >> 16))
                bytes.append(UInt8(truncatingIfNeeded: word >> 8))
                bytes.append(UInt8(truncatingIfNeeded: word))
                word = 0
                digits = 0
            }
        }
        switch digits {
        case 0: guard padding == 0 else { return nil }
        case 2:
            guard padding == 0 || padding == 2, word & 0xF == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: word >> 4))
        case 3:
            guard padding <= 1, word & 0x3 == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: word >> 10))
            bytes.append(UInt8(truncatingIfNeeded: word >> 2))
        default: return nil
        }
        return bytes.count <= limit ? bytes : nil
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
