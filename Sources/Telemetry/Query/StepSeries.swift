/// The steps of one series while its hours go by in the order of time.
struct StepSeries: Sendable {
    /// A step and what fell into it.
    struct Step: Sendable {
        /// Its beginning, milliseconds since the epoch.
        var start: Int64
        var bucket = Bucket()
    }

    private let name: String
    private let range: Range<Int64>
    /// The length of a step in milliseconds.
    private let length: Int64
    private var open: Step?
    private var finished: [Step] = []

    /// Steps of `step` milliseconds over the points of a series whose times are in `range`.
    init(name: String, range: Range<Int64>, step: Int64) {
        self.name = name
        self.range = range
        length = step
    }

    /// Takes the next hour; what lies in one step as a whole is taken by its summary, without its points.
    mutating func take(_ hour: NamedHour) throws(ChunkFault) {
        for remains in hour.remains[name] ?? [] { take(remains.moved(by: hour.begin)) }
        for piece in try hour.separatePieces(of: name) {
            let (first, last) = (hour.begin + piece.times.lowerBound, hour.begin + piece.times.upperBound)
            guard last >= range.lowerBound, first < range.upperBound else { continue }
            if isWhole(from: first, to: last) {
                for summary in piece.summaries { take(summary.moved(by: hour.begin)) }
            } else {
                take(try piece.column(), begin: hour.begin)
            }
        }
    }

    /// Ends the open step: nothing follows.
    mutating func finish() {
        if let open { finished.append(open) }
        open = nil
    }

    /// The steps that ended since the last call.
    mutating func takeFinished() -> [Step] {
        defer { finished = [] }
        return finished
    }

    /// Whether points between these times are all asked for and in one step.
    private func isWhole(from first: Int64, to last: Int64) -> Bool {
        range.contains(first) && range.contains(last) && start(of: first) == start(of: last)
    }

    /// Takes points by their summary; of an hour that has ended and that the query cuts, nobody knows which to take.
    private mutating func take(_ points: PointSummary) {
        guard isWhole(from: points.firstTime, to: points.lastTime) else { return }
        move(to: start(of: points.firstTime))
        open?.bucket.add(points)
    }

    private mutating func take(_ column: SeriesColumn, begin: Int64) {
        for index in column.times.indices where range.contains(begin + column.times[index]) {
            let moment = begin + column.times[index]
            move(to: start(of: moment))
            open?.bucket.add(column.mantissas[index], exponent: column.exponent(at: index), at: moment)
        }
    }

    private func start(of moment: Int64) -> Int64 { moment - moment % length }

    private mutating func move(to start: Int64) {
        if open?.start == start { return }
        finish()
        open = Step(start: start)
    }
}
