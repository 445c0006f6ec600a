extension DecimalNumber {
    /// The number that `text` spells as JSON writes numbers (RFC 8259, section 6), exactly, never through binary
    /// floating point.
    public init(text: some StringProtocol) throws(NumberFault) {
        let bytes = Array(text.utf8)
        self = try bytes.withUnsafeBufferPointer { bytes throws(NumberFault) in
            var position = 0
            let number = try Self.scan(bytes, from: &position)
            guard position == bytes.count else { throw .notANumber }
            return number
        }
    }

    /// Reads the number that starts at `position` and leaves `position` behind its last character.
    @inline(__always)
    static func scan(_ bytes: UnsafeBufferPointer<UInt8>, from position: inout Int) throws(NumberFault) -> Self {
        let end = bytes.count
        var index = position
        defer { position = index }
        var negative = false
        if index < end, bytes[index] == UInt8(ascii: "-") {
            negative = true
            index += 1
        }
        guard index < end, bytes[index] &- 48 <= 9 else { throw .notANumber }
        var magnitude: UInt64 = 0
        if bytes[index] == 48 {
            index += 1
            if index < end, bytes[index] &- 48 <= 9 { throw .notANumber }
        } else {
            while index < end {
                let digit = bytes[index] &- 48
                guard digit <= 9 else { break }
                guard magnitude < 1_000_000_000_000_000_000 else { throw .tooLarge }
                magnitude = magnitude &* 10 &+ UInt64(digit)
                index += 1
            }
        }
        var places = 0
        if index < end, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard index < end, bytes[index] &- 48 <= 9 else { throw .notANumber }
            // Zeros wait until a digit follows them, so that trailing ones cost no precision.
            var zeros = 0
            while index < end {
                let digit = bytes[index] &- 48
                guard digit <= 9 else { break }
                index += 1
                if digit == 0 {
                    zeros += 1
                    continue
                }
                places += zeros + 1
                if magnitude != 0 {
                    for _ in 0...zeros {
                        guard magnitude < 1_000_000_000_000_000_000 else { throw .tooPrecise }
                        magnitude = magnitude &* 10
                    }
                }
                magnitude = magnitude &+ UInt64(digit)
                zeros = 0
            }
        }
        guard magnitude <= UInt64(Int64.max) + (negative ? 1 : 0) else {
            throw places == 0 ? .tooLarge : .tooPrecise
        }
        let mantissa = negative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(truncatingIfNeeded: magnitude)
        if index < end, bytes[index] | 0x20 == UInt8(ascii: "e") {
            return try scaled(mantissa, places: places, by: exponent(bytes, from: &index))
        }
        guard places <= 128 else { throw .tooPrecise }
        return Self(canonical: mantissa, exponent: Int8(truncatingIfNeeded: -places))
    }

    /// Reads `e`, a sign and digits; anything past ten thousand is held there, far outside what is kept.
    private static func exponent(
        _ bytes: UnsafeBufferPointer<UInt8>, from index: inout Int
    ) throws(NumberFault) -> Int {
        index += 1
        var negative = false
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            negative = bytes[index] == UInt8(ascii: "-")
            index += 1
        }
        guard index < bytes.count, bytes[index] &- 48 <= 9 else { throw .notANumber }
        var value = 0
        while index < bytes.count, bytes[index] &- 48 <= 9 {
            value = min(value * 10 + Int(bytes[index] &- 48), 10_000)
            index += 1
        }
        return negative ? -value : value
    }

    private static func scaled(_ mantissa: Int64, places: Int, by power: Int) throws(NumberFault) -> Self {
        if mantissa == 0 { return .zero }
        var mantissa = mantissa
        var exponent = power - places
        // Zeros at the end can bring an exponent beyond eight bits back into range.
        while exponent < 0, mantissa.isMultiple(of: 10) {
            mantissa /= 10
            exponent += 1
        }
        guard exponent <= Int8.max else { throw .tooLarge }
        guard exponent >= Int8.min else { throw .tooPrecise }
        return Self(mantissa, exponent: Int8(exponent))
    }
}

extension DecimalNumber: CustomStringConvertible {
    /// The exact decimal text, without an exponent as far as readable, as JSON accepts it.
    public var description: String {
        var text: [UInt8] = []
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the exact decimal text to `text`.
    public func write(to text: inout [UInt8]) {
        var digits = mantissa.magnitude
        var places = -Int(exponent)
        if mantissa < 0 { text.append(UInt8(ascii: "-")) }
        if places > 24 || places < 0 {
            Self.write(digits, to: &text)
            text.append(UInt8(ascii: "e"))
            if exponent < 0 { text.append(UInt8(ascii: "-")) }
            Self.write(UInt64(exponent.magnitude), to: &text)
            return
        }
        let start = text.count
        while digits > 0 || places >= 0 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digits % 10))
            digits /= 10
            places -= 1
            if places == 0 { text.append(UInt8(ascii: ".")) }
            if places < 0, digits == 0 { break }
        }
        text[start...].reverse()
    }

    private static func write(_ number: UInt64, to text: inout [UInt8]) {
        let start = text.count
        var number = number
        repeat {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
            number /= 10
        } while number > 0
        text[start...].reverse()
    }
}
