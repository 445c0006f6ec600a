/// Writes bits with given probabilities (range coding, after Martin 1979): each narrows an interval of 64 bits, whose
/// settled upper half goes out four bytes at a time.
struct RangeEncoder {
    private(set) var bytes: [UInt8] = []
    private var low: UInt64 = 0
    private var range: UInt64 = .max

    @inline(__always)
    mutating func encode(_ bit: Int, _ context: Int, _ model: borrowing BitModel) {
        let bound = (range >> 16) &* model.probability(context)
        if bit == 0 {
            range = bound
        } else {
            add(bound)
            range &-= bound
        }
        model.learn(context, bit)
        normalise()
    }

    /// Writes the low `count` bits of `value`, at most 24, each as likely as not.
    @inline(__always)
    mutating func encode(plain value: UInt64, count: Int) {
        range >>= UInt64(count)
        add(value &* range)
        normalise()
    }

    @inline(__always)
    private mutating func add(_ amount: UInt64) {
        let (sum, carry) = low.addingReportingOverflow(amount)
        low = sum
        if carry { propagate() }
    }

    @inline(__always)
    private mutating func normalise() {
        while range < 1 << 32 {
            for shift in stride(from: 56, through: 32, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: low >> UInt64(shift)))
            }
            low <<= 32
            range <<= 32
        }
    }

    /// Carries one into what went out already. It never runs past the first byte, because the whole is below one.
    private mutating func propagate() {
        var index = bytes.count
        while index > 0 {
            index -= 1
            bytes[index] &+= 1
            if bytes[index] != 0 { return }
        }
    }

    /// Ends the stream with as few bytes as tell the interval; the decoder takes absent bytes for zeros.
    mutating func finish() -> [UInt8] {
        for count in 0...8 {
            let below: UInt64 = count == 8 ? 0 : .max >> UInt64(count * 8)
            let (sum, carry) = low.addingReportingOverflow(below)
            let value = sum & ~below
            guard value &- low < range else { continue }
            if carry { propagate() }
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * index))) }
            break
        }
        while bytes.last == 0 { bytes.removeLast() }
        return bytes
    }
}

/// Reads what `RangeEncoder` wrote; damaged bytes give other bits, never a trap.
struct RangeDecoder {
    private let bytes: UnsafeRawBufferPointer
    private var position: Int
    private var code: UInt64
    private var range: UInt64 = .max

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        position = 0
        code = 0
        code = UInt64(next()) << 32
        code |= UInt64(next())
    }

    @inline(__always)
    private mutating func next() -> UInt32 {
        if position &+ 4 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self).bigEndian
            position &+= 4
            return word
        }
        return tail()
    }

    private mutating func tail() -> UInt32 {
        var word: UInt32 = 0
        for _ in 0..<4 {
            word <<= 8
            if position < bytes.count {
                word |= UInt32(bytes[position])
                position += 1
            }
        }
        return word
    }

    @inline(__always)
    mutating func decode(_ context: Int, _ model: borrowing BitModel) -> Int {
        let bound = (range >> 16) &* model.probability(context)
        let bit: Int
        if code < bound {
            range = bound
            bit = 0
        } else {
            code &-= bound
            range &-= bound
            bit = 1
        }
        model.learn(context, bit)
        normalise()
        return bit
    }

    /// Reads `count` bits, at most 24, each as likely as not.
    @inline(__always)
    mutating func decodePlain(count: Int) -> UInt64 {
        range >>= UInt64(count)
        // The range is at least 2^32 before, so at least 2^8 now; only damaged bytes reach beyond the last value.
        let value = min(code / range, (1 << UInt64(count)) &- 1)
        code &-= value &* range
        normalise()
        return value
    }

    @inline(__always)
    private mutating func normalise() {
        while range < 1 << 32 {
            range <<= 32
            code = code << 32 | UInt64(next())
        }
    }
}
