public import Access
public import Base

/// A part of each day in which devices shall not call, by the clocks of a place; it may go past midnight.
public struct QuietHours: Hashable, Sendable {
    /// The minute of the day at which it begins.
    public let from: Int64
    /// The minute of the day at which it ends.
    public let until: Int64
    /// The time zone whose clocks count; nil is the tenant's.
    public let timeZone: TimeZoneName?

    /// The part of the day between two minutes; nil when they are not minutes of a day, or the same.
    public init?(from: Int64, until: Int64, timeZone: TimeZoneName? = nil) {
        guard Self.minutes.contains(from), Self.minutes.contains(until), from != until else { return nil }
        self.from = from
        self.until = until
        self.timeZone = timeZone
    }

    private static let minutes: Range<Int64> = 0..<1440
    private static let day: Int64 = 86_400

    /// How many seconds it has on a day on which no clock is changed.
    var length: Int64 { (until - from + 1440) % 1440 * 60 }

    /// What lies between two moments: quiet from `start` on, until before `end`.
    struct Window: Hashable, Sendable {
        var start: Timestamp
        var end: Timestamp
    }

    /// The quiet hours of five days, from the day before the last one on, in their order.
    func windows(around time: Timestamp, in zone: TimeZoneName?) -> [Window] {
        let local = time + .seconds(zone?.offset(at: time) ?? 0)
        let midnight = local.seconds.flooredDivision(by: Self.day) * Self.day
        return (-2...2).compactMap { days in
            let first = midnight + Int64(days) * Self.day + from * 60
            let start = Self.moment(first, in: zone)
            let end = Self.moment(first + length, in: zone)
            // Clocks that are changed may leave nothing of it.
            return start < end ? Window(start: start, end: end) : nil
        }
    }

    /// The moment at which clocks of the zone show so many seconds.
    private static func moment(_ seconds: Int64, in zone: TimeZoneName?) -> Timestamp {
        let local = Timestamp(microseconds: 0) + .seconds(seconds)
        return zone?.moment(showing: local) ?? local
    }
}

extension QuietHours {
    static func read(_ value: JSONValue, at pointer: String, faults: inout [Refusal.Fault]) -> QuietHours? {
        var reader = DocumentReader(value, at: pointer)
        let from = minute("from", &reader)
        let until = minute("until", &reader)
        var zone: TimeZoneName?
        if let text = reader.text("timeZone", limit: FleetLimits.timeZoneBytes) {
            zone = TimeZoneName(text)
            if zone == nil { reader.fault("timeZone", "must be a time zone such as Europe/Berlin") }
        }
        var hours: QuietHours?
        if let from, let until {
            hours = QuietHours(from: from, until: until, timeZone: zone)
            if hours == nil { reader.fault("until", "must not be the same as from") }
        }
        reader.finish()
        faults += reader.faults
        return hours
    }

    private static func minute(_ key: String, _ reader: inout DocumentReader) -> Int64? {
        guard let value = reader.value(key) else {
            reader.fault(key, "is missing")
            return nil
        }
        guard let text = value.string, let minute = minute(text) else {
            reader.fault(key, "must be a time of day such as 22:30")
            return nil
        }
        return minute
    }

    /// The minute that `22:30` spells.
    static func minute(_ text: String) -> Int64? {
        let digits = Array(text.utf8)
        guard digits.count == 5, digits[2] == UInt8(ascii: ":"), let hour = number(digits[0], digits[1]),
            let minute = number(digits[3], digits[4]), hour < 24, minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    private static func number(_ tens: UInt8, _ ones: UInt8) -> Int64? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard digits.contains(tens), digits.contains(ones) else { return nil }
        return Int64(tens - digits.lowerBound) * 10 + Int64(ones - digits.lowerBound)
    }

    /// The quiet hours with every member written out.
    public var json: JSONValue {
        func time(_ minute: Int64) -> JSONValue {
            func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
            return .string("\(two(minute / 60)):\(two(minute % 60))")
        }
        return [
            "from": time(from), "until": time(until), "timeZone": timeZone.map { .string($0.text) } ?? .null,
        ]
    }
}

/// Quiet hours whose nearest windows are kept, because time zones cost far more than a poll may.
struct QuietClock: Sendable {
    let hours: QuietHours
    private let zone: TimeZoneName?
    private var windows: [QuietHours.Window] = []

    init(_ hours: QuietHours, zone: TimeZoneName?) {
        self.hours = hours
        self.zone = hours.timeZone ?? zone
    }

    /// The first window that ends after a moment: it has begun, or is the next.
    mutating func window(endingAfter time: Timestamp) -> QuietHours.Window? {
        if let first = windows.first, let last = windows.last, first.end <= time, time < last.end {
            return windows.first { $0.end > time }
        }
        windows = hours.windows(around: time, in: zone)
        return windows.first { $0.end > time }
    }
}
