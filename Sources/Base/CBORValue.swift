/// Bounds on CBOR from outside.
public struct CBORLimits: Sendable {
    /// How many bytes an item may have.
    public var bytes: Int
    /// How deep arrays and maps may nest.
    public var depth: Int
    /// How many items there may be in all.
    public var items: Int

    /// Bounds of this many bytes, levels and items.
    public init(bytes: Int = 16 << 10, depth: Int = 4, items: Int = 256) {
        self.bytes = bytes
        self.depth = depth
        self.items = items
    }
}

/// Why bytes are not the CBOR that was wanted.
public struct CBORFault: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Reason: String, Sendable {
        case tooLong, truncated, tooDeep, tooManyItems, unsupported, notShortest, notText, badKey, repeatedKey
    }

    /// What is wrong.
    public var reason: Reason
    /// The byte where it went wrong, counted from zero.
    public var offset: Int
}

/// A small value in CBOR (RFC 8949) as CTAP2 writes it: lengths are given and written as short as can be, keys are whole
/// numbers or text and stand once, and there are no tags and no floating-point numbers.
///
/// For what people's authenticators say. Devices' readings are walked in place instead, by a reader that knows their
/// numbers.
public indirect enum CBORValue: Sendable, Hashable {
    /// A whole number.
    case integer(Int64)
    /// Bytes.
    case bytes([UInt8])
    /// Text.
    case text(String)
    /// A list.
    case array([CBORValue])
    /// Pairs in the order in which they came.
    case map([Pair])
    /// True or false.
    case boolean(Bool)
    /// Nothing.
    case null

    /// A key and its value.
    public struct Pair: Sendable, Hashable {
        /// The key: a whole number or text.
        public var key: CBORValue
        /// The value.
        public var value: CBORValue

        /// A pair of these.
        public init(_ key: CBORValue, _ value: CBORValue) {
            self.key = key
            self.value = value
        }
    }

    /// The one item at the beginning of `bytes`, and how many bytes it takes.
    public static func prefix(
        of bytes: [UInt8], limits: CBORLimits = CBORLimits()
    ) throws(CBORFault) -> (value: CBORValue, length: Int) {
        var reader = CBORReader(bytes: bytes, limits: limits)
        let value = try reader.item(depth: 0)
        return (value, reader.position)
    }

    /// The value of a map's key, nil when it has none or this is no map.
    public subscript(key: Int64) -> CBORValue? { self[.integer(key)] }

    /// The value of a map's key, nil when it has none or this is no map.
    public subscript(key: String) -> CBORValue? { self[.text(key)] }

    private subscript(key: CBORValue) -> CBORValue? {
        guard case .map(let pairs) = self else { return nil }
        return pairs.first { $0.key == key }?.value
    }
}

/// A recursive-descent reader; its depth is bounded, so its stack is too.
private struct CBORReader {
    let bytes: [UInt8]
    let limits: CBORLimits
    private(set) var position = 0
    private var items = 0

    init(bytes: [UInt8], limits: CBORLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func item(depth: Int) throws(CBORFault) -> CBORValue {
        let start = position
        guard depth <= limits.depth else { throw CBORFault(reason: .tooDeep, offset: start) }
        items += 1
        guard items <= limits.items else { throw CBORFault(reason: .tooManyItems, offset: start) }
        let first = try take(1, from: start)[start]
        let (major, detail) = (first >> 5, first & 0x1F)
        if major == 7 {
            switch detail {
            case 20: return .boolean(false)
            case 21: return .boolean(true)
            case 22: return .null
            default: throw CBORFault(reason: .unsupported, offset: start)
            }
        }
        let argument = try argument(detail, from: start)
        switch major {
        case 0, 1:
            guard let number = Int64(exactly: argument) else { throw CBORFault(reason: .unsupported, offset: start) }
            return .integer(major == 0 ? number : -1 - number)
        case 2: return .bytes(Array(try take(argument, from: start)))
        case 3:
            guard let text = String(validating: try take(argument, from: start), as: UTF8.self) else {
                throw CBORFault(reason: .notText, offset: start)
            }
            return .text(text)
        case 4:
            let count = try count(argument, each: 1, from: start)
            var elements: [CBORValue] = []
            elements.reserveCapacity(count)
            for _ in 0..<count { elements.append(try item(depth: depth + 1)) }
            return .array(elements)
        case 5:
            let count = try count(argument, each: 2, from: start)
            var pairs: [CBORValue.Pair] = []
            pairs.reserveCapacity(count)
            var keys: Set<CBORValue> = []
            for _ in 0..<count {
                let place = position
                let key = try item(depth: depth + 1)
                switch key {
                case .integer, .text: break
                default: throw CBORFault(reason: .badKey, offset: place)
                }
                guard keys.insert(key).inserted else { throw CBORFault(reason: .repeatedKey, offset: place) }
                pairs.append(.init(key, try item(depth: depth + 1)))
            }
            return .map(pairs)
        default: throw CBORFault(reason: .unsupported, offset: start)
        }
    }

    /// A container's count, which can not be beyond the bytes that are left nor the items that may come.
    private func count(_ argument: UInt64, each: UInt64, from start: Int) throws(CBORFault) -> Int {
        guard argument <= UInt64(bytes.count - position) / each else {
            throw CBORFault(reason: .truncated, offset: start)
        }
        guard argument <= UInt64(max(limits.items - items, 0)) / each else {
            throw CBORFault(reason: .tooManyItems, offset: start)
        }
        return Int(argument)
    }

    private mutating func argument(_ detail: UInt8, from start: Int) throws(CBORFault) -> UInt64 {
        if detail < 24 { return UInt64(detail) }
        guard detail <= 27 else { throw CBORFault(reason: .unsupported, offset: start) }
        let width = 1 << Int(detail - 24)
        let value = try take(UInt64(width), from: start).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let isShortest = detail == 24 ? value >= 24 : value >> UInt64(width * 4) != 0
        guard isShortest else { throw CBORFault(reason: .notShortest, offset: start) }
        return value
    }

    private mutating func take(_ count: UInt64, from start: Int) throws(CBORFault) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw CBORFault(reason: .truncated, offset: start) }
        let end = position + Int(count)
        guard end <= limits.bytes else { throw CBORFault(reason: .tooLong, offset: start) }
        defer { position = end }
        return bytes[position..<end]
    }
}
