import Base

/// The fields of a SenML record; the raw value is the CBOR label (RFC 8428, table 4).
enum SenMLField: Int64 {
    case baseVersion = -1
    case baseName = -2
    case baseTime = -3
    case baseUnit = -4
    case baseValue = -5
    case baseSum = -6
    case name = 0
    case unit = 1
    case value = 2
    case text = 3
    case boolean = 4
    case sum = 5
    case time = 6
    case updateTime = 7
    case data = 8

    /// The field with this JSON label, or nil when the label is not one of the specification's.
    @inline(__always)
    init?(label: UnsafeBufferPointer<UInt8>) {
        switch label.count {
        case 1:
            switch label[0] {
            case UInt8(ascii: "n"): self = .name
            case UInt8(ascii: "v"): self = .value
            case UInt8(ascii: "u"): self = .unit
            case UInt8(ascii: "t"): self = .time
            case UInt8(ascii: "s"): self = .sum
            default: return nil
            }
        case 2:
            switch (label[0], label[1]) {
            case (UInt8(ascii: "b"), UInt8(ascii: "n")): self = .baseName
            case (UInt8(ascii: "b"), UInt8(ascii: "t")): self = .baseTime
            case (UInt8(ascii: "b"), UInt8(ascii: "u")): self = .baseUnit
            case (UInt8(ascii: "b"), UInt8(ascii: "v")): self = .baseValue
            case (UInt8(ascii: "b"), UInt8(ascii: "s")): self = .baseSum
            case (UInt8(ascii: "v"), UInt8(ascii: "b")): self = .boolean
            case (UInt8(ascii: "v"), UInt8(ascii: "s")): self = .text
            case (UInt8(ascii: "v"), UInt8(ascii: "d")): self = .data
            case (UInt8(ascii: "u"), UInt8(ascii: "t")): self = .updateTime
            default: return nil
            }
        case 4:
            guard label.elementsEqual("bver".utf8) else { return nil }
            self = .baseVersion
        default: return nil
        }
    }

    /// Whether a label that is not the specification's must be understood, so that the pack must be refused.
    static func isMandatory(_ label: UnsafeBufferPointer<UInt8>) -> Bool { label.last == UInt8(ascii: "_") }
}

/// A record as it was written, before the base fields are applied.
struct SenMLRecord {
    enum Value {
        case none
        case number(DecimalNumber)
        case boolean(Bool)
        case text(UnsafeBufferPointer<UInt8>)
        case data(UnsafeBufferPointer<UInt8>)
        case base64(UnsafeBufferPointer<UInt8>)
    }

    var name = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    var unit = UnitSymbol.none
    var value = Value.none
    var sum: DecimalNumber?
    var time: Int64 = 0
    private(set) var seen: UInt16 = 0

    /// Bits of `seen` that say that the record is more than base fields.
    private static let regular: UInt16 = 0b1_1111_1111 << 6

    /// Notes that the record has `field`, which may be there once.
    @inline(__always)
    mutating func note(_ field: SenMLField, at offset: Int) throws(InputFault) {
        let bit: UInt16 = 1 << UInt16(truncatingIfNeeded: field.rawValue + 6)
        guard seen & bit == 0 else { throw InputFault(.duplicateField, at: offset) }
        seen |= bit
    }

    @inline(__always)
    func has(_ field: SenMLField) -> Bool { seen & 1 << UInt16(truncatingIfNeeded: field.rawValue + 6) != 0 }

    var isOnlyBase: Bool { seen & Self.regular == 0 }

    @inline(__always)
    mutating func set(_ value: Value, at offset: Int) throws(InputFault) {
        guard case .none = self.value else { throw InputFault(.twoValues, at: offset) }
        self.value = value
    }
}

/// Resolves records (RFC 8428, section 4.6): keeps the base fields and turns each record into readings.
struct SenMLResolver {
    /// A sum becomes a reading of its own, of the series with this behind its name: a sum and a value of one record
    /// are different quantities, the second the integral of the first.
    static let sumSuffix: StaticString = ":sum"
    /// Times below this are relative to the time of receipt (section 4.5.3): 2^28 seconds.
    private static let absoluteFrom: Int64 = (1 << 28) * 1_000_000

    let context: DecodingContext
    var baseName = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    var baseTime: Int64 = 0
    var baseUnit = UnitSymbol.none
    var baseValue = DecimalNumber.zero
    var baseSum = DecimalNumber.zero
    private var version: Int64?

    init(context: DecodingContext) {
        self.context = context
    }

    /// Accepts version 10 (RFC 8428) and 26, which is 10 with the secondary units of RFC 8798 (RFC 9100).
    mutating func setVersion(_ number: DecimalNumber, at offset: Int) throws(InputFault) {
        guard number.exponent == 0, number.mantissa == 10 || number.mantissa == 26,
            version ?? number.mantissa == number.mantissa
        else { throw InputFault(.badVersion, at: offset) }
        version = number.mantissa
    }

    /// Turns a complete record into readings.
    @inline(__always)
    func resolve(
        _ record: SenMLRecord, names: inout SeriesNameCache, into batch: inout ReadingBatch, at offset: Int
    ) throws(InputFault) {
        if record.isOnlyBase {
            guard record.seen != 0 else { throw InputFault(.noValue, at: offset) }
            return
        }
        let (time, isStamped) = try time(of: record, at: offset)
        let unit = record.has(.unit) ? record.unit : baseUnit
        let value: ReadingValue?
        switch record.value {
        case .number(let number):
            if baseValue.mantissa == 0 {
                value = .number(number)
            } else {
                do throws(NumberFault) {
                    value = .number(try baseValue.adding(number))
                } catch { throw InputFault(number: error, at: offset) }
            }
        case .boolean(let isTrue): value = .boolean(isTrue)
        case .text(let text): value = try batch.text(text, limits: context.limits, at: offset)
        case .data(let data): value = try batch.data(data, limits: context.limits, at: offset)
        case .base64(let text):
            guard text.count <= context.limits.textBytes else { throw InputFault(.textTooLong, at: offset) }
            guard let range = Base64URL.decode(text, into: &batch) else { throw InputFault(.badData, at: offset) }
            value = .data(range)
        case .none:
            guard record.sum != nil else { throw InputFault(.noValue, at: offset) }
            value = nil
        }
        if let value {
            let series = try names.intern(
                baseName, record.name, rule: .senML, limits: context.limits, at: offset)
            try batch.append(
                Reading(time: time, series: series, isStamped: isStamped, value: value, unit: unit),
                limits: context.limits, at: offset)
        }
        if let sum = record.sum {
            try resolve(sum: sum, of: record, time: time, isStamped: isStamped, names: &names, into: &batch, at: offset)
        }
    }

    @inline(__always)
    private func time(of record: SenMLRecord, at offset: Int) throws(InputFault) -> (Timestamp, Bool) {
        let (time, overflow) = baseTime.addingReportingOverflow(record.time)
        guard !overflow else { throw InputFault(.timeOutOfRange, at: offset) }
        if time >= Self.absoluteFrom { return (try DeviceTime.timestamp(microseconds: time, at: offset), true) }
        let (moment, beyond) = context.received.microseconds.addingReportingOverflow(time)
        guard !beyond else { throw InputFault(.timeOutOfRange, at: offset) }
        return (try DeviceTime.timestamp(microseconds: moment, at: offset), false)
    }

    private func resolve(
        sum: DecimalNumber, of record: SenMLRecord, time: Timestamp, isStamped: Bool, names: inout SeriesNameCache,
        into batch: inout ReadingBatch, at offset: Int
    ) throws(InputFault) {
        guard baseName.count + record.name.count > 0 else { throw InputFault(.noName, at: offset) }
        var name = Array(record.name)
        name.append(
            contentsOf: UnsafeBufferPointer(start: Self.sumSuffix.utf8Start, count: Self.sumSuffix.utf8CodeUnitCount))
        let series = try name.withUnsafeBufferPointer { name throws(InputFault) in
            try names.intern(baseName, name, rule: .senML, limits: context.limits, at: offset)
        }
        let total: DecimalNumber
        do throws(NumberFault) { total = try baseSum.adding(sum) } catch { throw InputFault(number: error, at: offset) }
        // A sum integrates over seconds, so the record's unit is not the sum's.
        try batch.append(
            Reading(time: time, series: series, isStamped: isStamped, value: .number(total)), limits: context.limits,
            at: offset)
    }
}

/// base64url without padding, as SenML JSON writes data values (RFC 8428, section 5).
enum Base64URL {
    /// Appends the bytes that `text` stands for, or nil when it is not base64url; padding is tolerated.
    static func decode(
        _ text: UnsafeBufferPointer<UInt8>, into batch: inout ReadingBatch
    ) -> ReadingValue.ByteRange? {
        var count = text.count
        while count > 0, text.count - count < 2, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
        guard count % 4 != 1 else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(count * 3 / 4)
        var group: UInt32 = 0
        for index in 0..<count {
            guard let value = value(of: text[index]) else { return nil }
            group = group << 6 | value
            switch index % 4 {
            case 1: decoded.append(UInt8(truncatingIfNeeded: group >> 4))
            case 2: decoded.append(UInt8(truncatingIfNeeded: group >> 2))
            case 3: decoded.append(UInt8(truncatingIfNeeded: group))
            default: break
            }
        }
        return decoded.withUnsafeBufferPointer { batch.store($0) }
    }

    private static func value(of letter: UInt8) -> UInt32? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter) + 4
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
