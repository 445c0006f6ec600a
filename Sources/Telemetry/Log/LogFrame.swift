/// One value inside a record on its way through log and head.
public struct LoggedValue: Hashable, Sendable {
    /// The log's number of the series, from the `LogRegistry`.
    public var series: UInt32
    /// The power of ten of the mantissa.
    public var exponent: Int8
    /// The value is `mantissa` × 10^`exponent`.
    public var mantissa: Int64

    /// A value of `series`.
    public init(series: UInt32, exponent: Int8, mantissa: Int64) {
        self.series = series
        self.exponent = exponent
        self.mantissa = mantissa
    }
}

/// The frame of one device and one hour inside a log group.
///
/// Layout, integers as LEB128 unless said otherwise: `slot`, `hour` (hours since the epoch), byte length of the
/// records, then records. A record is the offset in milliseconds from the hour's start, the number of values, and for
/// each value the series number, one byte exponent + 128, and the zig-zag mantissa. The head keeps the very same
/// record bytes, so taking a frame into memory is one copy.
enum LogFrame {
    static let millisecondsPerHour: Int64 = 3_600_000

    /// Appends one record; `milliseconds` is the offset from the hour's start.
    @inline(__always)
    static func appendRecord(at milliseconds: Int64, values: some Collection<LoggedValue>, to bytes: inout [UInt8]) {
        Varint.append(UInt64(milliseconds), to: &bytes)
        Varint.append(UInt64(values.count), to: &bytes)
        for value in values {
            Varint.append(UInt64(value.series), to: &bytes)
            bytes.append(UInt8(truncatingIfNeeded: Int(value.exponent) + 128))
            Varint.append(signed: value.mantissa, to: &bytes)
        }
    }

    /// Appends the frame's header, to be followed by `length` bytes of records.
    static func appendHeader(slot: UInt32, hour: UInt32, length: Int, to bytes: inout [UInt8]) {
        Varint.append(UInt64(slot), to: &bytes)
        Varint.append(UInt64(hour), to: &bytes)
        Varint.append(UInt64(length), to: &bytes)
    }

    /// Calls `body` with each frame of a group; false when the bytes are no whole frames.
    static func forEach(
        in group: UnsafeRawBufferPointer,
        _ body: (_ slot: UInt32, _ hour: UInt32, _ records: UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        var reader = LogReader(group)
        while !reader.isAtEnd {
            guard let slot = reader.varint().flatMap(UInt32.init(exactly:)),
                let hour = reader.varint().flatMap(UInt32.init(exactly:)),
                let length = reader.varint().flatMap(Int.init(exactly:)), let records = reader.slice(length)
            else { return false }
            body(slot, hour, records)
        }
        return true
    }

    /// Calls `body` with each value of the records of one hour, in the order of arrival; false when they are damaged.
    static func forEachValue(
        in records: UnsafeRawBufferPointer, _ body: (_ milliseconds: Int64, _ value: LoggedValue) -> Void
    ) -> Bool {
        var reader = LogReader(records)
        while !reader.isAtEnd {
            guard let offset = reader.varint(), offset < UInt64(millisecondsPerHour), let count = reader.varint(),
                count <= UInt64(reader.remaining)
            else { return false }
            for _ in 0..<count {
                guard let series = reader.varint().flatMap(UInt32.init(exactly:)), let exponent = reader.byte(),
                    let mantissa = reader.signed()
                else { return false }
                body(
                    Int64(offset),
                    LoggedValue(series: series, exponent: Int8(Int(exponent) - 128), mantissa: mantissa))
            }
        }
        return true
    }
}
