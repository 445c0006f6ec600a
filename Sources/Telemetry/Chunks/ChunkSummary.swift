/// What a chunk says of one column without decompressing it.
public struct ChunkSummary: Hashable, Sendable {
    /// The number of the series.
    public var series: UInt32
    /// The power of ten that the mantissas count.
    public var exponent: Int8
    /// How many points there are, at least one.
    public var count: Int
    /// The time of the first point.
    public var firstTime: Int64
    /// The time of the last point.
    public var lastTime: Int64
    /// The first mantissa.
    public var first: Int64
    /// The last mantissa.
    public var last: Int64
    /// The smallest mantissa.
    public var minimum: Int64
    /// The largest mantissa.
    public var maximum: Int64
    /// The sum of the mantissas.
    public var sum: Int128
}

/// The points of one column.
public struct ChunkPoints: Hashable, Sendable {
    /// The number of the series.
    public var series: UInt32
    /// The power of ten that the mantissas count.
    public var exponent: Int8
    /// The times, rising.
    public var times: [Int64]
    /// As many mantissas as times.
    public var mantissas: [Int64]

    /// A column; `ChunkBuilder` checks that it keeps the rules.
    public init(series: UInt32, exponent: Int8, times: [Int64], mantissas: [Int64]) {
        self.series = series
        self.exponent = exponent
        self.times = times
        self.mantissas = mantissas
    }
}
