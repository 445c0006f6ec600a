/// Something that the maker, or whoever put the SIM in, gave a device and that no other device in the world has.
///
/// Each is registered once in the whole deployment, so that no rival can claim yours. Values are normalised first, so
/// that one number written in two ways is still one number.
public struct HardwareIdentifier: Hashable, Comparable, Sendable {
    /// What sort of number it is.
    public enum Kind: String, CaseIterable, Sendable {
        /// A serial number; write `maker/number` where the number alone is not unique.
        case serial
        /// The 15 digits of a cellular modem, with its check digit.
        case imei
        /// An EUI-48 or EUI-64 network address.
        case mac
        /// The 32 digits of an embedded SIM, with its check digits.
        case eid
        /// A radio's identifier: 1 to 8 hexadecimal digits (Sigfox), or 9 to 16 (a LoRaWAN device EUI).
        case radio
        /// The number at which its SIM gets text messages: a plus sign and 8 to 15 digits (E.164).
        case msisdn
    }

    /// What sort of number it is.
    public let kind: Kind
    /// The normalised value.
    public let value: String

    /// The identifier written as `text`, or nil when it breaks the rule of its kind.
    public init?(_ kind: Kind, _ text: some StringProtocol) {
        guard (1...FleetLimits.hardwareIdentifierBytes).contains(text.utf8.count),
            let value = Self.normalise(kind, Array(text.utf8))
        else { return nil }
        self.kind = kind
        self.value = String(decoding: value, as: UTF8.self)
    }

    /// An identifier as the database keeps it.
    init(stored kind: Kind, value: String) {
        self.kind = kind
        self.value = value
    }

    /// The order by kind, then by value.
    public static func < (left: Self, right: Self) -> Bool {
        left.kind == right.kind ? left.value < right.value : left.kind.rawValue < right.kind.rawValue
    }

    /// What a value of this kind must look like, for a fault's message.
    static func rule(of kind: Kind) -> String {
        switch kind {
        case .serial: "must be 1 to \(FleetLimits.hardwareIdentifierBytes) visible ASCII characters"
        case .imei: "must be 15 digits whose last is the right check digit"
        case .mac: "must be 12 or 16 hexadecimal digits"
        case .eid: "must be 32 digits whose last two are the right check digits"
        case .radio: "must be 1 to 16 hexadecimal digits"
        case .msisdn: "must be a number such as +4930123456"
        }
    }

    private static func normalise(_ kind: Kind, _ text: [UInt8]) -> [UInt8]? {
        switch kind {
        case .serial:
            let trimmed = Array(text.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed())
            guard !trimmed.isEmpty, trimmed.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
            return trimmed.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 0x20 : $0 }
        case .imei:
            guard let digits = digits(text, count: 15), luhn(digits) else { return nil }
            return digits
        case .eid:
            guard let digits = digits(text, count: 32), remainder97(digits) == 1 else { return nil }
            return digits
        case .mac:
            guard let digits = hex(text), digits.count == 12 || digits.count == 16 else { return nil }
            return digits
        case .radio:
            guard let digits = hex(text), (1...16).contains(digits.count) else { return nil }
            let width = digits.count <= 8 ? 8 : 16
            return [UInt8](repeating: UInt8(ascii: "0"), count: width - digits.count) + digits
        case .msisdn:
            let digits = text.dropFirst().filter { !isSeparator($0) }
            guard text.first == UInt8(ascii: "+"), (8...15).contains(digits.count), digits[0] != UInt8(ascii: "0"),
                digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            else { return nil }
            return [UInt8(ascii: "+")] + digits
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x20 || "-:.".utf8.contains(byte) }

    private static func digits(_ text: [UInt8], count: Int) -> [UInt8]? {
        let digits = text.filter { !isSeparator($0) }
        guard digits.count == count, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return digits
    }

    private static func hex(_ text: [UInt8]) -> [UInt8]? {
        var digits: [UInt8] = []
        for byte in text where !isSeparator(byte) {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digits.append(byte + 0x20)
            default: return nil
            }
        }
        return digits
    }

    /// The check of 3GPP TS 23.003, annex B.
    private static func luhn(_ digits: [UInt8]) -> Bool {
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let value = Int(digit - UInt8(ascii: "0"))
            let weighted = index.isMultiple(of: 2) ? value : value * 2
            sum += weighted > 9 ? weighted - 9 : weighted
        }
        return sum.isMultiple(of: 10)
    }

    /// The check of GSMA SGP.02, section 2.2.2: the whole number leaves 1 when divided by 97.
    private static func remainder97(_ digits: [UInt8]) -> Int {
        digits.reduce(0) { ($0 * 10 + Int($1 - UInt8(ascii: "0"))) % 97 }
    }
}

extension HardwareIdentifier: CustomStringConvertible {
    /// Kind and value, for messages.
    public var description: String { "\(kind.rawValue) \(value)" }
}
