/// Walks CBOR (RFC 8949) in place; text and bytes come back as the payload's own.
struct CBORScanner {
    /// What begins at one place.
    enum Item {
        case number(DecimalNumber)
        case bytes(UnsafeBufferPointer<UInt8>)
        case text(UnsafeBufferPointer<UInt8>)
        case boolean(Bool)
        /// `null` or `undefined`.
        case null
        /// An array of this many items, or of as many as precede a break.
        case array(UInt64?)
        /// A map of this many pairs, or of as many as precede a break.
        case map(UInt64?)
    }

    /// How many more items or pairs a container holds.
    struct Remaining {
        fileprivate var count: UInt64?
    }

    let bytes: UnsafeBufferPointer<UInt8>
    /// The next byte to read.
    private(set) var position: Int
    private let depthLimit: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int = 0, depthLimit: Int) {
        self.bytes = bytes
        self.position = position
        self.depthLimit = depthLimit
    }

    /// Makes sure that nothing is left.
    func expectEnd() throws(InputFault) {
        guard position == bytes.count else { throw InputFault(.trailingBytes, at: position) }
    }

    /// Begins a container that holds `count` items.
    func remaining(_ count: UInt64?) throws(InputFault) -> Remaining {
        // Each item takes at least a byte, so a count beyond the bytes left can not come true.
        if let count, count > UInt64(bytes.count - position) { throw InputFault(.truncated, at: bytes.count) }
        return Remaining(count: count)
    }

    /// Whether another item or pair follows; reads the break that ends a container without a count.
    mutating func next(_ remaining: inout Remaining) throws(InputFault) -> Bool {
        if let count = remaining.count {
            if count == 0 { return false }
            remaining.count = count - 1
            return true
        }
        guard position < bytes.count else { throw InputFault(.truncated, at: position) }
        guard bytes[position] == 0xFF else { return true }
        position += 1
        return false
    }

    /// Reads one item, of a container only its head.
    mutating func item() throws(InputFault) -> Item {
        guard position < bytes.count else { throw InputFault(.truncated, at: position) }
        let start = position
        let first = bytes[position]
        position += 1
        let (major, detail) = (first >> 5, first & 0x1F)
        if major == 7 { return try simple(detail, at: start) }
        guard detail != 31 else {
            switch major {
            case 4: return .array(nil)
            case 5: return .map(nil)
            // Text and bytes in pieces are legal CBOR, but no device has reason to send them.
            case 2, 3: throw InputFault(.unsupportedCBOR, at: start)
            default: throw InputFault(.notCBOR, at: start)
            }
        }
        let argument = try argument(detail, at: start)
        switch major {
        case 0:
            guard let value = Int64(exactly: argument) else { throw InputFault(.numberTooLarge, at: start) }
            return .number(DecimalNumber(value))
        case 1:
            guard let value = Int64(exactly: argument) else { throw InputFault(.numberTooLarge, at: start) }
            return .number(DecimalNumber(-1 - value))
        case 2: return .bytes(try take(argument))
        case 3: return .text(try take(argument))
        case 4: return .array(argument)
        case 5: return .map(argument)
        default: return try tagged(argument, at: start)
        }
    }

    private mutating func argument(_ detail: UInt8, at start: Int) throws(InputFault) -> UInt64 {
        guard detail >= 24 else { return UInt64(detail) }
        guard detail <= 27 else { throw InputFault(.notCBOR, at: start) }
        return try unsigned(bytes: 1 << Int(detail - 24))
    }

    private mutating func unsigned(bytes count: Int) throws(InputFault) -> UInt64 {
        guard bytes.count - position >= count else { throw InputFault(.truncated, at: bytes.count) }
        var value: UInt64 = 0
        for _ in 0..<count {
            value = value << 8 | UInt64(bytes[position])
            position += 1
        }
        return value
    }

    private mutating func take(_ count: UInt64) throws(InputFault) -> UnsafeBufferPointer<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw InputFault(.truncated, at: bytes.count) }
        let start = position
        position += Int(count)
        return UnsafeBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func simple(_ detail: UInt8, at start: Int) throws(InputFault) -> Item {
        switch detail {
        case 20: return .boolean(false)
        case 21: return .boolean(true)
        case 22, 23: return .null
        case 25...27: break
        case 28...31: throw InputFault(.notCBOR, at: start)
        default: throw InputFault(.unsupportedCBOR, at: start)
        }
        let bits = try unsigned(bytes: 1 << Int(detail - 24))
        do throws(NumberFault) {
            switch detail {
            case 25: return .number(try DecimalNumber(shortest: Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
            case 26: return .number(try DecimalNumber(shortest: Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
            default: return .number(try DecimalNumber(shortest: Double(bitPattern: bits)))
            }
        } catch {
            throw InputFault(number: error, at: start)
        }
    }

    /// Reads what a tag applies to: bignums (2, 3) and decimal fractions (4) are numbers, no other tag is.
    private mutating func tagged(_ tag: UInt64, at start: Int) throws(InputFault) -> Item {
        switch tag {
        case 2, 3: return .number(DecimalNumber(try bignum(isNegative: tag == 3, at: start)))
        case 4:
            guard position < bytes.count else { throw InputFault(.truncated, at: position) }
            guard bytes[position] == 0x82 else { throw InputFault(.notCBOR, at: position) }
            position += 1
            let exponent = try integer()
            let mantissa = try integer()
            if mantissa == 0 { return .number(.zero) }
            guard exponent <= Int8.max else { throw InputFault(.numberTooLarge, at: start) }
            guard let exponent = Int8(exactly: exponent) else { throw InputFault(.numberTooPrecise, at: start) }
            return .number(DecimalNumber(mantissa, exponent: exponent))
        default: throw InputFault(.unsupportedCBOR, at: start)
        }
    }

    /// Reads an integer, as a bignum or not.
    private mutating func integer() throws(InputFault) -> Int64 {
        guard position < bytes.count else { throw InputFault(.truncated, at: position) }
        let start = position
        let first = bytes[position]
        position += 1
        if first == 0xC2 || first == 0xC3 { return try bignum(isNegative: first == 0xC3, at: start) }
        guard first >> 5 <= 1 else { throw InputFault(.notCBOR, at: start) }
        guard let value = Int64(exactly: try argument(first & 0x1F, at: start)) else {
            throw InputFault(.numberTooLarge, at: start)
        }
        return first >> 5 == 0 ? value : -1 - value
    }

    private mutating func bignum(isNegative: Bool, at start: Int) throws(InputFault) -> Int64 {
        guard position < bytes.count else { throw InputFault(.truncated, at: position) }
        let first = bytes[position]
        guard first >> 5 == 2 else { throw InputFault(.notCBOR, at: position) }
        position += 1
        let content = try take(try argument(first & 0x1F, at: position - 1))
        var value: UInt64 = 0
        for byte in content {
            guard value >> 55 == 0 else { throw InputFault(.numberTooLarge, at: start) }
            value = value << 8 | UInt64(byte)
        }
        return isNegative ? -1 - Int64(value) : Int64(value)
    }

    /// Reads one item of any kind, with all that it contains.
    mutating func skip() throws(InputFault) { try skip(depth: 0) }

    private mutating func skip(depth: Int) throws(InputFault) {
        guard depth <= depthLimit else { throw InputFault(.tooDeep, at: position) }
        guard position < bytes.count else { throw InputFault(.truncated, at: position) }
        let start = position
        let first = bytes[position]
        position += 1
        let (major, detail) = (first >> 5, first & 0x1F)
        if detail == 31 {
            try skipPieces(major, depth: depth, at: start)
            return
        }
        let argument = try argument(detail, at: start)
        switch major {
        case 2, 3: _ = try take(argument)
        case 4, 5:
            var remaining = try remaining(argument)
            while try next(&remaining) {
                try skip(depth: depth + 1)
                if major == 5 { try skip(depth: depth + 1) }
            }
        case 6: try skip(depth: depth + 1)
        default: break
        }
    }

    /// Skips what ends with a break: text or bytes in pieces, an array, a map.
    private mutating func skipPieces(_ major: UInt8, depth: Int, at start: Int) throws(InputFault) {
        guard (2...5).contains(major) else { throw InputFault(.notCBOR, at: start) }
        var remaining = Remaining(count: nil)
        while try next(&remaining) {
            if major <= 3, bytes[position] >> 5 != major || bytes[position] & 0x1F == 31 {
                throw InputFault(.notCBOR, at: position)
            }
            try skip(depth: depth + 1)
            if major == 5 { try skip(depth: depth + 1) }
        }
    }
}
