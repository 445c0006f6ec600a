import Base

/// What one stored part, or memory, holds of one series in one hour; points are decoded only when asked for.
struct HourPiece: Sendable {
    private enum Content: Sendable {
        case stored(Chunk, columns: [Int])
        case open(SeriesColumn)
    }

    private let content: Content
    /// The points' summaries, one for each exponent; times count from the hour's start.
    let summaries: [PointSummary]
    /// From the first point to the last.
    let times: ClosedRange<Int64>

    /// What the columns of a chunk hold, which are all of one series.
    init?(_ chunk: Chunk, columns: [Int]) {
        let all = chunk.summaries
        self.init(.stored(chunk, columns: columns), columns.map { PointSummary(all[$0]) })
    }

    /// What memory holds.
    init?(_ column: SeriesColumn) {
        self.init(.open(column), column.summaries)
    }

    private init?(_ content: Content, _ summaries: [PointSummary]) {
        guard let first = summaries.lazy.map(\.firstTime).min(), let last = summaries.lazy.map(\.lastTime).max(),
            first <= last
        else { return nil }
        self.content = content
        self.summaries = summaries
        times = first...last
    }

    /// The points.
    func column() throws(ChunkFault) -> SeriesColumn {
        switch content {
        case .open(let column): column
        case .stored(let chunk, let columns):
            SeriesColumn(
                strands: try chunk.points(at: columns).map {
                    SeriesColumn(exponent: $0.exponent, times: $0.times, mantissas: $0.mantissas)
                })
        }
    }
}

/// One hour of a device: pieces of each series in the order in which later ones are laid over earlier ones.
struct NamedHour: Sendable {
    /// Hours since the epoch.
    let hour: UInt32
    /// The pieces by the series' name.
    var pieces: [String: [HourPiece]] = [:]
    /// What remains of readings that have ended, by the series' name.
    var remains: [String: [PointSummary]] = [:]

    /// The hour's beginning in milliseconds since the epoch.
    var begin: Int64 { Int64(hour) * LogFrame.millisecondsPerHour }

    /// The points of a series, if it has any.
    func column(of series: String) throws(ChunkFault) -> SeriesColumn? {
        var whole: SeriesColumn?
        for piece in pieces[series] ?? [] {
            let column = try piece.column()
            whole = whole.map { $0.overlaid(by: column) } ?? column
        }
        return whole
    }

    /// The pieces of a series in the order of time when none reaches into another's time, so that each can be judged by
    /// its summary; otherwise one piece that holds what is left when they are laid over each other.
    func separatePieces(of series: String) throws(ChunkFault) -> [HourPiece] {
        guard let pieces = pieces[series] else { return [] }
        let ordered = pieces.sorted { $0.times.lowerBound < $1.times.lowerBound }
        let isSeparate = ordered.indices.dropFirst().allSatisfy {
            ordered[$0 - 1].times.upperBound < ordered[$0].times.lowerBound
        }
        if isSeparate { return ordered }
        return [try column(of: series).flatMap { HourPiece($0) }].compactMap(\.self)
    }
}

extension PointSummary {
    /// What a chunk's header says of a column.
    init(_ summary: ChunkSummary) {
        self.init(
            count: summary.count, exponent: summary.exponent, sum: summary.sum, minimum: summary.minimum,
            maximum: summary.maximum, first: summary.first, last: summary.last, firstTime: summary.firstTime,
            lastTime: summary.lastTime)
    }
}
