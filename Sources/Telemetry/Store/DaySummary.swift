/// What remains of a device's day when its raw readings have ended: each hour's series summed up.
struct DaySummary: Sendable {
    /// The points of one series in one hour, those of one exponent; times count from the hour's start.
    struct Entry: Hashable, Sendable {
        var hour: UInt32
        var series: UInt32
        var points: PointSummary
    }

    /// One series in one hour at one exponent.
    private struct Key: Hashable, Comparable {
        var hour: UInt32
        var series: UInt32
        var exponent: Int8

        static func < (left: Key, right: Key) -> Bool {
            (left.hour, left.series, left.exponent) < (right.hour, right.series, right.exponent)
        }
    }

    /// The version that is written; version 1 knew neither times nor `through`.
    private static let version: UInt8 = 2

    /// Chunks written up to here are summed up in the entries: they count no more, wherever they still lie.
    private(set) var through: Int64
    private(set) var entries: [Entry]

    /// The summary of nothing.
    init() {
        through = .min
        entries = []
    }

    /// Adds what chunks hold that were written after `through`, up to `written`.
    ///
    /// Readings that come after their hour was summed up are added to it; whether one repeats a reading that has ended
    /// can not be known any more.
    mutating func add(_ hours: [HourColumns], writtenThrough written: Int64) {
        var summed = Dictionary(
            entries.map { (Key(hour: $0.hour, series: $0.series, exponent: $0.points.exponent), $0.points) },
            uniquingKeysWith: { $0.joined(with: $1) })
        for hour in hours {
            for (series, column) in hour.columns {
                for points in column.summaries {
                    let key = Key(hour: hour.hour, series: series, exponent: points.exponent)
                    summed[key] = summed[key]?.joined(with: points) ?? points
                }
            }
        }
        entries = summed.sorted { $0.key < $1.key }.map {
            Entry(hour: $0.key.hour, series: $0.key.series, points: $0.value)
        }
        through = max(through, written)
    }

    /// The stored form: a version byte, `through`, then for each entry hour, series, exponent + 128, count, and zig-zag
    /// coded sum (as high and low half), minimum, maximum, first and last, then the times of these two.
    func encoded() -> [UInt8] {
        var bytes = [Self.version]
        Varint.append(signed: through, to: &bytes)
        for entry in entries {
            let points = entry.points
            Varint.append(UInt64(entry.hour), to: &bytes)
            Varint.append(UInt64(entry.series), to: &bytes)
            bytes.append(UInt8(truncatingIfNeeded: Int(points.exponent) + 128))
            Varint.append(UInt64(points.count), to: &bytes)
            Varint.append(signed: Int64(truncatingIfNeeded: points.sum >> 64), to: &bytes)
            Varint.append(UInt64(truncatingIfNeeded: points.sum), to: &bytes)
            for value in [
                points.minimum, points.maximum, points.first, points.last, points.firstTime, points.lastTime,
            ] { Varint.append(signed: value, to: &bytes) }
        }
        return bytes
    }

    /// Reads the stored form, or nil when it is damaged.
    init?(encoded bytes: [UInt8]) {
        self.init()
        let isWhole = bytes.withUnsafeBytes { raw -> Bool in
            var reader = LogReader(raw)
            guard let version = reader.byte(), (1...Self.version).contains(version) else { return false }
            // What version 1 summed up was written before chunks told when.
            guard let covered = version == 1 ? 0 : reader.signed() else { return false }
            through = covered
            while !reader.isAtEnd {
                guard let entry = Self.entry(from: &reader, version: version) else { return false }
                entries.append(entry)
            }
            return true
        }
        guard isWhole else { return nil }
    }

    private static func entry(from reader: inout LogReader, version: UInt8) -> Entry? {
        guard let hour = reader.varint().flatMap(UInt32.init(exactly:)),
            let series = reader.varint().flatMap(UInt32.init(exactly:)), let exponent = reader.byte(),
            let count = reader.varint().flatMap(Int.init(exactly:)), count > 0, let high = reader.signed(),
            let low = reader.varint(), let minimum = reader.signed(), let maximum = reader.signed(),
            let first = reader.signed(), let last = reader.signed()
        else { return nil }
        var times: (first: Int64, last: Int64) = (0, LogFrame.millisecondsPerHour - 1)
        if version > 1 {
            guard let firstTime = reader.signed(), let lastTime = reader.signed() else { return nil }
            times = (firstTime, lastTime)
        }
        let isSound =
            minimum <= min(first, last) && maximum >= max(first, last) && times.first <= times.last && times.first >= 0
            && times.last < LogFrame.millisecondsPerHour
        guard isSound else { return nil }
        return Entry(
            hour: hour, series: series,
            points: PointSummary(
                count: count, exponent: Int8(truncatingIfNeeded: Int(exponent) - 128),
                sum: Int128(high) << 64 | Int128(low), minimum: minimum, maximum: maximum, first: first, last: last,
                firstTime: times.first, lastTime: times.last))
    }
}
