/// A moment in microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since the epoch; negative before it.
    public var microseconds: Int64

    /// The moment this many microseconds after the epoch.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The moment this many milliseconds after the epoch, or nil when it does not fit.
    public init?(milliseconds: Int64) {
        let (value, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return nil }
        microseconds = value
    }

    /// Milliseconds since the epoch, rounded down.
    public var milliseconds: Int64 { microseconds.flooredDivision(by: 1000) }

    /// Whole seconds since the epoch, rounded down.
    public var seconds: Int64 { microseconds.flooredDivision(by: 1_000_000) }

    /// The earlier moment comes first.
    public static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    /// The moment `duration` later, held at the ends of the range instead of overflowing.
    public static func + (moment: Timestamp, duration: Duration) -> Timestamp {
        let (sum, overflow) = moment.microseconds.addingReportingOverflow(duration.microseconds)
        return Timestamp(microseconds: overflow ? (duration.microseconds < 0 ? .min : .max) : sum)
    }

    /// The moment `duration` earlier, held at the ends of the range instead of overflowing.
    public static func - (moment: Timestamp, duration: Duration) -> Timestamp {
        let (difference, overflow) = moment.microseconds.subtractingReportingOverflow(duration.microseconds)
        return Timestamp(microseconds: overflow ? (duration.microseconds < 0 ? .max : .min) : difference)
    }

    /// The time from `right` to `left`, held at the ends of the range instead of overflowing.
    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        let (difference, overflow) = left.microseconds.subtractingReportingOverflow(right.microseconds)
        return .microseconds(overflow ? (left < right ? Int64.min : Int64.max) : difference)
    }
}

extension Duration {
    /// The whole microseconds in this duration, held at the ends of the range.
    public var microseconds: Int64 {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return components.seconds < 0 ? .min : .max }
        let (sum, carried) = seconds.addingReportingOverflow(components.attoseconds / 1_000_000_000_000)
        return carried ? (components.seconds < 0 ? .min : .max) : sum
    }
}

extension FixedWidthInteger where Self: SignedInteger {
    /// The quotient rounded towards minus infinity, where `/` rounds towards zero.
    public func flooredDivision(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient
    }
}
