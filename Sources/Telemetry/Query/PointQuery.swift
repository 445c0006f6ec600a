public import Base

/// Which points of one device are asked for.
public struct PointQuery: Sendable {
    /// The tenant.
    public var tenant: TenantID
    /// The device.
    public var device: DeviceID
    /// The series by name, in the order of the answer.
    public var series: [String]
    /// The first moment of the answer.
    public var from: Timestamp
    /// The first moment behind the answer.
    public var to: Timestamp
    /// The length of a step, when the points are to be summarised; steps begin at whole multiples since the epoch.
    public var step: Duration?
    /// What each step says.
    public var aggregates: [Aggregate]

    /// Points of these series from `from` up to but not including `to`.
    public init(
        tenant: TenantID, device: DeviceID, series: [String], from: Timestamp, to: Timestamp, step: Duration? = nil,
        aggregates: [Aggregate] = [.mean]
    ) {
        self.tenant = tenant
        self.device = device
        self.series = series
        self.from = from
        self.to = to
        self.step = step
        self.aggregates = aggregates
    }
}

/// The points of one series, or of one aggregate of it, in one page of an answer.
public struct SeriesPoints: Sendable {
    /// The series' name.
    public var name: String
    /// What the values are, when they are steps.
    public var aggregate: Aggregate?
    /// Milliseconds since the epoch, rising; of a step, its beginning.
    public var times: [Int64]
    /// As many values as times.
    public var values: [PointValue]
}

/// One stretch of an answer: the same columns on every page, in the order of the query.
public struct PointPage: Sendable {
    /// A column for each series asked for, or for each pair of series and aggregate.
    public var columns: [SeriesPoints]
}
