/// What is known of some points of one series without the points: of a chunk's column, an hour of a day's summary.
struct PointSummary: Hashable, Sendable {
    /// How many points there are, at least one.
    var count: Int
    /// The power of ten that all the mantissas below count.
    var exponent: Int8
    var sum: Int128
    var minimum: Int64
    var maximum: Int64
    var first: Int64
    var last: Int64
    /// Milliseconds, since the epoch or an hour's start, of the first point.
    var firstTime: Int64
    var lastTime: Int64

    /// The summary of these points and others of the same exponent.
    func joined(with other: PointSummary) -> PointSummary {
        var joined = self
        joined.count += other.count
        joined.sum += other.sum
        joined.minimum = min(minimum, other.minimum)
        joined.maximum = max(maximum, other.maximum)
        if other.firstTime < firstTime { (joined.first, joined.firstTime) = (other.first, other.firstTime) }
        if other.lastTime >= lastTime { (joined.last, joined.lastTime) = (other.last, other.lastTime) }
        return joined
    }

    /// The same points with their times counted from a moment that lies `milliseconds` earlier.
    func moved(by milliseconds: Int64) -> PointSummary {
        var moved = self
        moved.firstTime += milliseconds
        moved.lastTime += milliseconds
        return moved
    }
}
