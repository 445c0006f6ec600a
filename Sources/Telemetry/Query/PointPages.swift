import Base

/// The answer to a query, a few hours at a time, so that a year costs no more memory than a morning.
public struct PointPages: AsyncSequence, Sendable {
    /// The points of a few hours.
    public typealias Element = PointPage

    /// Hours read at once when every point is asked for.
    static let hoursPerPage: UInt32 = 6
    /// Hours read at once when summaries may do: up to the end of a day.
    static let hoursPerSteppedPage: UInt32 = 24

    let reader: TelemetryReader
    let query: PointQuery

    /// Begins the query anew; nothing is read before the first page is asked for.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: reader, query: query) }

    /// Walks through the hours of a query.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: TelemetryReader
        private let query: PointQuery
        private let range: Range<Int64>
        private var nextHour: UInt32?
        private var steps: [StepSeries]
        /// Days of which only summaries remain, in order; nil before they are read.
        private var endedDays: [Int64]?
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
            let (points, series) = (range, query.series)
            steps =
                query.step.map { step in
                    series.map { StepSeries(name: $0, range: points, step: Swift.max(step.microseconds / 1000, 1)) }
                } ?? []
        }

        /// The next page, or nil at the end; a page may hold no points.
        public mutating func next() async throws -> PointPage? {
            if isFinished { return nil }
            guard let hours = try await nextHours() else {
                isFinished = true
                return query.step == nil ? nil : page(of: finishSteps())
            }
            if query.step == nil { return try raw(hours) }
            var finished: [[StepSeries.Step]] = []
            for index in steps.indices {
                for hour in hours { try steps[index].take(hour) }
                finished.append(steps[index].takeFinished())
            }
            return page(of: finished)
        }

        private mutating func nextHours() async throws -> [NamedHour]? {
            guard let first = nextHour, !range.isEmpty else { return nil }
            let lastWanted = UInt32(clamping: (range.upperBound - 1) / LogFrame.millisecondsPerHour)
            if endedDays == nil { endedDays = try await findEndedDays(first: first, last: lastWanted) }
            let days = endedDays ?? []
            guard let begin = reader.nextHour(from: first, tenant: query.tenant, device: query.device, ended: days),
                begin <= lastWanted
            else { return nil }
            let length = query.step == nil ? PointPages.hoursPerPage : PointPages.hoursPerSteppedPage
            let last = Swift.min(begin - begin % length + length - 1, lastWanted)
            nextHour = last == UInt32.max ? nil : last + 1
            return try await reader.hours(
                tenant: query.tenant, device: query.device, series: query.series, hours: begin...last,
                withEnded: days.contains(ChunkStore.day(ofHour: begin)))
        }

        /// Summaries of ended days know hours, so they answer for steps of whole hours only.
        private func findEndedDays(first: UInt32, last: UInt32) async throws -> [Int64] {
            guard let step = query.step, step.microseconds > 0,
                step.microseconds.isMultiple(of: LogFrame.millisecondsPerHour * 1000), first <= last
            else { return [] }
            return try await reader.endedDays(tenant: query.tenant, device: query.device, hours: first...last)
        }

        private func raw(_ hours: [NamedHour]) throws -> PointPage {
            var columns: [SeriesPoints] = []
            for name in query.series {
                var points = SeriesPoints(name: name, aggregate: nil, times: [], values: [])
                for hour in hours {
                    guard let column = try hour.column(of: name) else { continue }
                    for index in column.times.indices where range.contains(hour.begin + column.times[index]) {
                        points.times.append(hour.begin + column.times[index])
                        points.values.append(.exact(column.mantissas[index], exponent: column.exponent(at: index)))
                    }
                }
                columns.append(points)
            }
            return PointPage(columns: columns)
        }

        private mutating func finishSteps() -> [[StepSeries.Step]] {
            var finished: [[StepSeries.Step]] = []
            for index in steps.indices {
                steps[index].finish()
                finished.append(steps[index].takeFinished())
            }
            return finished
        }

        private func page(of finished: [[StepSeries.Step]]) -> PointPage {
            var columns: [SeriesPoints] = []
            for (name, steps) in zip(query.series, finished) {
                for aggregate in query.aggregates {
                    columns.append(
                        SeriesPoints(
                            name: name, aggregate: aggregate, times: steps.map(\.start),
                            values: steps.map { $0.bucket.value(aggregate) }))
                }
            }
            return PointPage(columns: columns)
        }
    }
}
