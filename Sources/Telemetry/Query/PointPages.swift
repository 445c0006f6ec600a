import Base

/// The answer to a query, a few hours at a time, so that a year costs no more memory than a morning.
public struct PointPages: AsyncSequence, Sendable {
    public typealias Element = PointPage

    /// Hours read at once.
    static let hoursPerPage: UInt32 = 6

    let reader: TelemetryReader
    let query: PointQuery

    public func makeAsyncIterator() -> Iterator { Iterator(reader: reader, query: query) }

    /// Walks through the hours of a query.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: TelemetryReader
        private let query: PointQuery
        private let range: Range<Int64>
        private var nextHour: UInt32?
        private var steps: [StepState] = []
        private var isFinished = false

        fileprivate init(reader: TelemetryReader, query: PointQuery) {
            self.reader = reader
            self.query = query
            let from = Swift.max(query.from.milliseconds, 0)
            // A moment between two milliseconds belongs to the later one, so both ends round up.
            let begin = query.from.microseconds > from * 1000 ? from + 1 : from
            let end = Swift.max(-((-query.to.microseconds).flooredDivision(by: 1000)), begin)
            range = begin..<end
            nextHour = UInt32(clamping: begin / LogFrame.millisecondsPerHour)
            if query.step != nil { steps = query.series.map { _ in StepState() } }
        }

        /// The next page, or nil at the end; a page may hold no points.
        public mutating func next() async throws -> PointPage? {
            if isFinished { return nil }
            guard let first = nextHour, !range.isEmpty,
                let begin = reader.nextHour(from: first, tenant: query.tenant, device: query.device),
                Int64(begin) * LogFrame.millisecondsPerHour < range.upperBound
            else {
                isFinished = true
                return query.step == nil ? nil : lastSteps()
            }
            let lastWanted = UInt32(clamping: (range.upperBound - 1) / LogFrame.millisecondsPerHour)
            let last = Swift.min(begin + PointPages.hoursPerPage - 1, lastWanted)
            nextHour = last == UInt32.max ? nil : last + 1
            let hours = try await reader.hours(
                tenant: query.tenant, device: query.device, series: query.series, hours: begin...last)
            if let step = query.step { return stepped(hours, step: Swift.max(step.microseconds / 1000, 1)) }
            return raw(hours)
        }

        private func raw(_ hours: [NamedHour]) -> PointPage {
            PointPage(
                columns: query.series.map { name in
                    var points = SeriesPoints(name: name, aggregate: nil, times: [], values: [])
                    for hour in hours {
                        guard let column = hour.columns[name] else { continue }
                        let begin = Int64(hour.hour) * LogFrame.millisecondsPerHour
                        for index in column.times.indices where range.contains(begin + column.times[index]) {
                            points.times.append(begin + column.times[index])
                            points.values.append(
                                .exact(column.mantissas[index], exponent: column.exponent(at: index)))
                        }
                    }
                    return points
                })
        }

        private mutating func stepped(_ hours: [NamedHour], step: Int64) -> PointPage {
            var finished: [[(Int64, Bucket)]] = query.series.map { _ in [] }
            for (index, name) in query.series.enumerated() {
                for hour in hours {
                    guard let column = hour.columns[name] else { continue }
                    let begin = Int64(hour.hour) * LogFrame.millisecondsPerHour
                    for place in column.times.indices where range.contains(begin + column.times[place]) {
                        let moment = begin + column.times[place]
                        let start = moment - moment % step
                        if let done = steps[index].move(to: start) { finished[index].append(done) }
                        steps[index].bucket.add(
                            column.mantissas[place], exponent: column.exponent(at: place), at: moment)
                    }
                }
            }
            return page(of: finished)
        }

        private mutating func lastSteps() -> PointPage {
            var finished: [[(Int64, Bucket)]] = []
            for index in steps.indices { finished.append(steps[index].move(to: nil).map { [$0] } ?? []) }
            return page(of: finished)
        }

        private func page(of finished: [[(Int64, Bucket)]]) -> PointPage {
            var columns: [SeriesPoints] = []
            for (name, buckets) in zip(query.series, finished) {
                for aggregate in query.aggregates {
                    columns.append(
                        SeriesPoints(
                            name: name, aggregate: aggregate, times: buckets.map(\.0),
                            values: buckets.map { $0.1.value(aggregate) }))
                }
            }
            return PointPage(columns: columns)
        }
    }

    /// The open step of one series.
    private struct StepState: Sendable {
        private var start: Int64?
        var bucket = Bucket()

        /// Begins the step at `next` unless it is open already, and returns the one that ended.
        mutating func move(to next: Int64?) -> (Int64, Bucket)? {
            if start == next { return nil }
            let done = start.map { ($0, bucket) }
            start = next
            bucket = Bucket()
            return done
        }
    }
}

/// The columns of one hour by series name.
struct NamedHour: Sendable {
    var hour: UInt32
    var columns: [String: SeriesColumn]
}
