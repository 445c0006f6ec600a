/// Between the columns that queries and the flusher work with and the chunks that are stored: a chunk's times are
/// milliseconds from the beginning of its hour, which its row names.
extension HourColumns {
    /// The stored form.
    func encoded() throws(ChunkFault) -> [UInt8] {
        var builder = ChunkBuilder()
        for (series, column) in columns.sorted(by: { $0.key < $1.key }) {
            try builder.add(
                ChunkPoints(
                    series: series, exponent: column.exponent, times: column.times, mantissas: column.mantissas))
        }
        return builder.encoded()
    }

    /// Reads the stored form, only the series in `wanted` when these are given.
    init(hour: UInt32, encoded bytes: [UInt8], only wanted: Set<UInt32>? = nil) throws(ChunkFault) {
        let chunk = try Chunk(bytes)
        let summaries = chunk.summaries
        let indexes = summaries.indices.filter { wanted?.contains(summaries[$0].series) ?? true }
        var columns: [UInt32: SeriesColumn] = [:]
        for points in try chunk.points(at: indexes) {
            columns[points.series] = SeriesColumn(
                exponent: points.exponent, times: points.times, mantissas: points.mantissas)
        }
        self.init(hour: hour, columns: columns)
    }
}
