public import Base

extension CBORValue {
    /// The value's one spelling, as CTAP2 has it but for the order of keys, which is the map's own.
    public var encoded: [UInt8] {
        switch self {
        case .integer(let number):
            number >= 0
                ? Self.head(0, UInt64(number)) : Self.head(1, UInt64(bitPattern: -1 - number))
        case .bytes(let bytes): Self.head(2, UInt64(bytes.count)) + bytes
        case .text(let text): Self.head(3, UInt64(text.utf8.count)) + Array(text.utf8)
        case .array(let elements):
            Self.head(4, UInt64(elements.count)) + elements.flatMap(\.encoded)
        case .map(let pairs):
            Self.head(5, UInt64(pairs.count)) + pairs.flatMap { $0.key.encoded + $0.value.encoded }
        case .boolean(let isTrue): [isTrue ? 0xF5 : 0xF4]
        case .null: [0xF6]
        }
    }

    private static func head(_ major: UInt8, _ argument: UInt64) -> [UInt8] {
        let width =
            switch argument {
            case ..<24: 0
            case ..<0x100: 1
            case ..<0x1_0000: 2
            case ..<0x1_0000_0000: 4
            default: 8
            }
        let detail: UInt8 =
            switch width {
            case 0: UInt8(argument)
            case 1: 24
            case 2: 25
            case 4: 26
            default: 27
            }
        let rest = (0..<width).reversed().map { UInt8(truncatingIfNeeded: argument >> UInt64($0 * 8)) }
        return [major << 5 | detail] + rest
    }
}
