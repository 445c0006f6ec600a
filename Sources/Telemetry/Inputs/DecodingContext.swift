import Base

/// What a format decoder needs to know besides the bytes.
struct DecodingContext {
    /// When the payload came.
    let received: Timestamp
    let limits: InputLimits
}

/// Times as devices send them.
enum DeviceTime {
    /// The first and the last microsecond that a device may name: 1970 to 9999.
    private static let range: ClosedRange<Int64> = 0...253_402_300_799_999_999

    static func microseconds(seconds: DecimalNumber, at offset: Int) throws(InputFault) -> Int64 {
        guard let value = try? seconds.mantissa(at: -6, rounding: .halfEven) else {
            throw InputFault(.timeOutOfRange, at: offset)
        }
        return value
    }

    static func timestamp(milliseconds: DecimalNumber, at offset: Int) throws(InputFault) -> Timestamp {
        guard let value = try? milliseconds.mantissa(at: -3, rounding: .halfEven) else {
            throw InputFault(.timeOutOfRange, at: offset)
        }
        return try timestamp(microseconds: value, at: offset)
    }

    static func timestamp(microseconds: Int64, at offset: Int) throws(InputFault) -> Timestamp {
        guard range.contains(microseconds) else { throw InputFault(.timeOutOfRange, at: offset) }
        return Timestamp(microseconds: microseconds)
    }
}

extension ReadingBatch {
    /// Appends a reading within the limit on their number.
    @inline(__always)
    mutating func append(_ reading: Reading, limits: InputLimits, at offset: Int) throws(InputFault) {
        guard readings.count < limits.readings else { throw InputFault(.tooManyReadings, at: offset) }
        readings.append(reading)
    }

    /// Keeps a text value, checked to be UTF-8.
    mutating func text(
        _ content: UnsafeBufferPointer<UInt8>, limits: InputLimits, at offset: Int
    ) throws(InputFault) -> ReadingValue {
        guard content.count <= limits.textBytes else { throw InputFault(.textTooLong, at: offset) }
        guard UTF8Text.isValid(content) else { throw InputFault(.notUTF8, at: offset) }
        guard let range = store(content) else { throw InputFault(.tooLarge, at: offset) }
        return .text(range)
    }

    /// Keeps a data value.
    mutating func data(
        _ content: UnsafeBufferPointer<UInt8>, limits: InputLimits, at offset: Int
    ) throws(InputFault) -> ReadingValue {
        guard content.count <= limits.textBytes else { throw InputFault(.textTooLong, at: offset) }
        guard let range = store(content) else { throw InputFault(.tooLarge, at: offset) }
        return .data(range)
    }
}

extension SeriesNameCache {
    /// The index of the name `prefix` + `suffix`, which is checked when it is new.
    @inline(__always)
    mutating func intern(
        _ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>, rule: NameRule, limits: InputLimits,
        at offset: Int
    ) throws(InputFault) -> Int32 {
        if let index = known(prefix, suffix) { return index }
        if let reason = rule.fault(prefix, suffix, limit: limits.nameBytes) { throw InputFault(reason, at: offset) }
        guard let index = insert(prefix, suffix) else { throw InputFault(.tooManyNames, at: offset) }
        return index
    }
}
