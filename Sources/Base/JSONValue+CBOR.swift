/// JSON in CBOR (RFC 8949), for clients that would rather have it so.
extension JSONValue {
    /// The value that CBOR says, as RFC 8949, section 6.1 turns it into JSON: numbers that are none and what is undefined
    /// become null. Byte strings, tags, keys that are no text and what follows the value are refused; lengths may be left
    /// open, and need not be the shortest, because clients in use write them so.
    public init(cbor bytes: [UInt8], limits: CBORLimits) throws(CBORFault) {
        var reader = JSONCBORReader(bytes: bytes, limits: limits)
        guard let value = try reader.value(depth: 0) else { throw CBORFault(reason: .unsupported, offset: 0) }
        guard reader.position == bytes.count else { throw CBORFault(reason: .tooLong, offset: reader.position) }
        self = value
    }

    /// The value in CBOR: shortest lengths, keys in the order of their UTF-8 bytes, fractions in 64 bits.
    public var cbor: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(0xF6)
        case .bool(let value): bytes.append(value ? 0xF5 : 0xF4)
        case .integer(let value):
            Self.head(value < 0 ? 1 : 0, UInt64(bitPattern: value < 0 ? -1 - value : value), to: &bytes)
        case .number(let value):
            bytes.append(0xFB)
            bytes.append(contentsOf: Self.bigEndian(value.bitPattern, bytes: 8))
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let elements):
            Self.head(4, UInt64(elements.count), to: &bytes)
            for element in elements { element.write(to: &bytes) }
        case .object(let members):
            Self.head(5, UInt64(members.count), to: &bytes)
            for (key, value) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                Self.write(key, to: &bytes)
                value.write(to: &bytes)
            }
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        head(3, UInt64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func head(_ major: UInt8, _ argument: UInt64, to bytes: inout [UInt8]) {
        let (detail, width): (UInt8, Int) =
            switch argument {
            case ..<24: (UInt8(argument), 0)
            case ...UInt64(UInt8.max): (24, 1)
            case ...UInt64(UInt16.max): (25, 2)
            case ...UInt64(UInt32.max): (26, 4)
            default: (27, 8)
            }
        bytes.append(major << 5 | detail)
        bytes.append(contentsOf: bigEndian(argument, bytes: width))
    }

    private static func bigEndian(_ number: UInt64, bytes width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
    }
}

/// A recursive-descent reader; its depth is bounded, so its stack is too. It stands apart from that of `CBORValue`, which must
/// refuse much of what this one takes.
private struct JSONCBORReader {
    let bytes: [UInt8]
    let limits: CBORLimits
    private(set) var position = 0
    private var items = 0

    init(bytes: [UInt8], limits: CBORLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The next value; nil at the break that ends what has no length.
    mutating func value(depth: Int) throws(CBORFault) -> JSONValue? {
        let start = position
        guard bytes.count <= limits.bytes else { throw CBORFault(reason: .tooLong, offset: limits.bytes) }
        guard depth <= limits.depth else { throw CBORFault(reason: .tooDeep, offset: start) }
        items += 1
        guard items <= limits.items else { throw CBORFault(reason: .tooManyItems, offset: start) }
        let first = try take(1, from: start)[start]
        let (major, detail) = (first >> 5, first & 0x1F)
        switch major {
        case 0, 1:
            guard let argument = try argument(detail, from: start) else {
                throw CBORFault(reason: .unsupported, offset: start)
            }
            guard let number = Int64(exactly: argument) else {
                return .number(major == 0 ? Double(argument) : -1 - Double(argument))
            }
            return .integer(major == 0 ? number : -1 - number)
        case 3: return .string(try text(argument(detail, from: start), from: start))
        case 4: return .array(try elements(argument(detail, from: start), from: start, depth: depth + 1))
        case 5: return .object(try members(argument(detail, from: start), from: start, depth: depth + 1))
        case 7: return try simple(detail, from: start)
        default: throw CBORFault(reason: .unsupported, offset: start)
        }
    }

    private mutating func simple(_ detail: UInt8, from start: Int) throws(CBORFault) -> JSONValue? {
        func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
        switch detail {
        case 20: return .bool(false)
        case 21: return .bool(true)
        case 22, 23: return .null
        case 25: return number(Double(Float16(bitPattern: UInt16(truncatingIfNeeded: try bits(2, from: start)))))
        case 26: return number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try bits(4, from: start)))))
        case 27: return number(Double(bitPattern: try bits(8, from: start)))
        case 31: return nil
        default: throw CBORFault(reason: .unsupported, offset: start)
        }
    }

    private mutating func text(_ length: UInt64?, from start: Int) throws(CBORFault) -> String {
        if let length {
            guard let text = String(validating: try take(length, from: start), as: UTF8.self) else {
                throw CBORFault(reason: .notText, offset: start)
            }
            return text
        }
        // Pieces of known length, each of them whole text.
        var text = ""
        while true {
            let place = position
            let first = try take(1, from: place)[place]
            if first == 0xFF { return text }
            guard first >> 5 == 3, let length = try argument(first & 0x1F, from: place) else {
                throw CBORFault(reason: .unsupported, offset: place)
            }
            text += try self.text(length, from: place)
        }
    }

    private mutating func elements(
        _ count: UInt64?, from start: Int, depth: Int
    ) throws(CBORFault) -> [JSONValue] {
        var elements: [JSONValue] = []
        while count.map({ UInt64(elements.count) < $0 }) ?? true {
            let place = position
            guard let element = try value(depth: depth) else {
                guard count == nil else { throw CBORFault(reason: .unsupported, offset: place) }
                break
            }
            elements.append(element)
        }
        return elements
    }

    private mutating func members(
        _ count: UInt64?, from start: Int, depth: Int
    ) throws(CBORFault) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        while count.map({ UInt64(members.count) < $0 }) ?? true {
            let place = position
            guard let key = try value(depth: depth) else {
                guard count == nil else { throw CBORFault(reason: .unsupported, offset: place) }
                break
            }
            guard case .string(let name) = key else { throw CBORFault(reason: .badKey, offset: place) }
            guard let member = try value(depth: depth) else {
                throw CBORFault(reason: .unsupported, offset: place)
            }
            guard members.updateValue(member, forKey: name) == nil else {
                throw CBORFault(reason: .repeatedKey, offset: place)
            }
        }
        return members
    }

    /// The number in an item's head; nil when the item's length is left open.
    private mutating func argument(_ detail: UInt8, from start: Int) throws(CBORFault) -> UInt64? {
        switch detail {
        case ..<24: return UInt64(detail)
        case 24...27: return try bits(1 << Int(detail - 24), from: start)
        case 31: return nil
        default: throw CBORFault(reason: .unsupported, offset: start)
        }
    }

    private mutating func bits(_ width: Int, from start: Int) throws(CBORFault) -> UInt64 {
        try take(UInt64(width), from: start).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: UInt64, from start: Int) throws(CBORFault) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw CBORFault(reason: .truncated, offset: start) }
        let end = position + Int(count)
        defer { position = end }
        return bytes[position..<end]
    }
}
