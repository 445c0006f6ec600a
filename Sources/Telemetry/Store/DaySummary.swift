/// What remains of a device's day when its raw readings have ended: count, sum and extremes of each series and hour.
struct DaySummary: Sendable {
    /// One series in one hour.
    struct Entry: Hashable, Sendable {
        var hour: UInt32
        var series: UInt32
        var exponent: Int8
        var count: Int
        var sum: Int128
        var minimum: Int64
        var maximum: Int64
        var first: Int64
        var last: Int64
    }

    var entries: [Entry]

    init(hours: [HourColumns]) {
        entries = []
        for hour in hours.sorted(by: { $0.hour < $1.hour }) {
            for (series, column) in hour.columns.sorted(by: { $0.key < $1.key }) {
                entries += column.summaries.map { summary in
                    Entry(
                        hour: hour.hour, series: series, exponent: summary.exponent, count: summary.count,
                        sum: summary.sum, minimum: summary.minimum, maximum: summary.maximum, first: summary.first,
                        last: summary.last)
                }
            }
        }
    }

    /// The stored form: a version byte, then for each entry hour, series, exponent + 128, count, and zig-zag coded sum
    /// (as high and low half), minimum, maximum, first and last.
    func encoded() -> [UInt8] {
        var bytes: [UInt8] = [1]
        for entry in entries {
            Varint.append(UInt64(entry.hour), to: &bytes)
            Varint.append(UInt64(entry.series), to: &bytes)
            bytes.append(UInt8(truncatingIfNeeded: Int(entry.exponent) + 128))
            Varint.append(UInt64(entry.count), to: &bytes)
            Varint.append(signed: Int64(truncatingIfNeeded: entry.sum >> 64), to: &bytes)
            Varint.append(UInt64(truncatingIfNeeded: entry.sum), to: &bytes)
            for value in [entry.minimum, entry.maximum, entry.first, entry.last] {
                Varint.append(signed: value, to: &bytes)
            }
        }
        return bytes
    }

    /// Reads the stored form, or nil when it is damaged.
    init?(encoded bytes: [UInt8]) {
        entries = []
        let isWhole = bytes.withUnsafeBytes { raw -> Bool in
            var reader = LogReader(raw)
            guard reader.byte() == 1 else { return false }
            while !reader.isAtEnd {
                guard let hour = reader.varint().flatMap(UInt32.init(exactly:)),
                    let series = reader.varint().flatMap(UInt32.init(exactly:)), let exponent = reader.byte(),
                    let count = reader.varint().flatMap(Int.init(exactly:)), let high = reader.signed(),
                    let low = reader.varint(), let minimum = reader.signed(), let maximum = reader.signed(),
                    let first = reader.signed(), let last = reader.signed()
                else { return false }
                entries.append(
                    Entry(
                        hour: hour, series: series, exponent: Int8(Int(exponent) - 128), count: count,
                        sum: Int128(high) << 64 | Int128(low), minimum: minimum, maximum: maximum, first: first, last: last))
            }
            return true
        }
        guard isWhole else { return nil }
    }
}
