import Base

/// Between the columns that queries and the flusher work with and the chunks that are stored: a chunk's times are
/// milliseconds from the beginning of its hour, which its row names.
extension HourColumns {
    /// The stored form: one chunk, or more when one can not hold everything; none when there is nothing.
    func encoded(tenant: TenantID, device: DeviceID) throws(ChunkFault) -> [[UInt8]] {
        let place = ChunkPlace(tenant: tenant, device: device, hour: hour)
        var builder = ChunkBuilder()
        var chunks: [[UInt8]] = []
        for (series, column) in columns.sorted(by: { $0.key < $1.key }) {
            for start in stride(from: 0, to: column.times.count, by: ChunkLimits.points) {
                let piece = column[start..<min(start + ChunkLimits.points, column.times.count)]
                let strands = piece.strands.map { $0.points(ofSeries: series) }
                if !builder.isEmpty, !builder.hasRoom(for: strands) {
                    chunks.append(builder.encoded(at: place))
                    builder = ChunkBuilder()
                }
                for strand in strands { try builder.add(strand) }
            }
        }
        if !builder.isEmpty { chunks.append(builder.encoded(at: place)) }
        return chunks
    }

    /// Reads the stored form, only the series in `wanted` when these are given.
    init(chunk: Chunk, hour: UInt32, only wanted: Set<UInt32>? = nil) throws(ChunkFault) {
        let summaries = chunk.summaries
        let indexes = summaries.indices.filter { wanted?.contains(summaries[$0].series) ?? true }
        var strands: [UInt32: [SeriesColumn]] = [:]
        for points in try chunk.points(at: indexes) {
            strands[points.series, default: []].append(
                SeriesColumn(exponent: points.exponent, times: points.times, mantissas: points.mantissas))
        }
        self.init(hour: hour, columns: strands.mapValues(SeriesColumn.init(strands:)))
    }
}

extension SeriesColumn {
    /// A strand as a chunk's column.
    fileprivate func points(ofSeries series: UInt32) -> ChunkPoints {
        ChunkPoints(series: series, exponent: exponent(at: 0), times: times, mantissas: mantissas)
    }
}
