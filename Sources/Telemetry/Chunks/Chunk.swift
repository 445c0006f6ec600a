/// The compressed records of one device and one hour, as `ChunkBuilder` made them.
///
/// Opening checks the checksum and the header, so the summaries can be trusted as written; the streams are decoded only
/// when points are asked for. Any bytes give either a chunk or a fault. docs/formats/chunk.md describes the format.
public struct Chunk: Sendable {
    private let bytes: [UInt8]
    private let header: ChunkHeader

    /// Opens a chunk.
    public init(_ bytes: [UInt8]) throws(ChunkFault) {
        guard bytes.count <= ChunkLimits.bytes else { throw .tooLarge }
        guard let version = bytes.first, bytes.count > 4 else { throw .damaged }
        header = try bytes.withUnsafeBufferPointer { bytes throws(ChunkFault) in
            let raw = UnsafeRawBufferPointer(bytes)
            let content = UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - 4)])
            let stored = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: content.count, as: UInt32.self))
            guard Checksum.of(content) == stored else { throw .damaged }
            guard version == ChunkHeader.version else { throw .unknownVersion }
            return try ChunkHeader(content)
        }
        self.bytes = bytes
    }

    /// One summary a column, in the order in which they were added.
    public var summaries: [ChunkSummary] { header.columns.map(\.summary) }

    /// The points of the columns at `indexes`, in this order; without indexes, of all.
    public func points(at indexes: [Int]? = nil) throws(ChunkFault) -> [ChunkPoints] {
        var times: [Int: [Int64]] = [:]
        var residuals: [Int: [Int64]] = [:]
        var points: [ChunkPoints] = []
        for index in indexes ?? Array(header.columns.indices) {
            guard header.columns.indices.contains(index) else { throw .noSuchColumn }
            let column = header.columns[index]
            let axis: [Int64]
            if let known = times[column.axis] { axis = known } else { axis = try decodeTimes(header.axes[column.axis]) }
            times[column.axis] = axis
            let own = decodeResiduals(index, known: &residuals)
            let mantissas = try mantissas(of: column, residuals: own)
            guard mantissas.last == column.summary.last else { throw .malformed }
            points.append(
                ChunkPoints(
                    series: column.summary.series, exponent: column.summary.exponent, times: axis, mantissas: mantissas)
            )
        }
        return points
    }

    /// The points of one series, or nil when the chunk has none.
    public func points(ofSeries series: UInt32) throws(ChunkFault) -> ChunkPoints? {
        guard let index = header.columns.firstIndex(where: { $0.summary.series == series }) else { return nil }
        return try points(at: [index]).first
    }

    /// Hands the points of one series from `start` up to but not including `end` to `body`, in order.
    public func forEachPoint(
        ofSeries series: UInt32, from start: Int64, until end: Int64, _ body: (_ time: Int64, _ mantissa: Int64) -> Void
    ) throws(ChunkFault) {
        guard let points = try points(ofSeries: series) else { return }
        for index in points.indexes(from: start, until: end) { body(points.times[index], points.mantissas[index]) }
    }

    private func mantissas(of column: ChunkHeader.Column, residuals: [Int64]) throws(ChunkFault) -> [Int64] {
        let summary = column.summary
        guard column.isBinary else {
            return column.code.values(first: summary.first, count: summary.count, residuals: residuals)
        }
        guard var binary = BinaryColumn(exponent: summary.exponent) else { throw .malformed }
        let first = binary.ordinal(of: summary.first)
        var values = column.code.values(first: first, count: summary.count, residuals: residuals)
        for index in values.indices {
            guard let mantissa = binary.mantissa(of: values[index]) else { throw .malformed }
            values[index] = mantissa
        }
        guard values.first == summary.first else { throw .malformed }
        return values
    }

    /// Decodes a column's residuals, before them those of the columns that it refers to; the header's check has bounded
    /// how many these are.
    private func decodeResiduals(_ index: Int, known: inout [Int: [Int64]]) -> [Int64] {
        if let found = known[index] { return found }
        let column = header.columns[index]
        guard column.code.kind != .linear else { return [] }
        let reference = column.reference.map { decodeResiduals($0, known: &known) }
        let residuals = bytes.withUnsafeBytes { raw in
            column.code.decode(
                UnsafeRawBufferPointer(rebasing: raw[column.stream]), count: column.summary.count - 1,
                reference: reference)
        }
        known[index] = residuals
        return residuals
    }

    private func decodeTimes(_ axis: ChunkHeader.Axis) throws(ChunkFault) -> [Int64] {
        let residuals: [Int64]
        if axis.code.kind == .linear {
            residuals = []
        } else {
            residuals = bytes.withUnsafeBytes { raw in
                axis.code.decode(
                    UnsafeRawBufferPointer(rebasing: raw[axis.stream]), count: axis.count - 1, reference: nil)
            }
        }
        var ticks = axis.code.values(first: 0, count: axis.count, residuals: residuals)
        guard ticks.last == axis.span else { throw .malformed }
        var before: Int64 = -1
        for index in ticks.indices {
            guard ticks[index] > before else { throw .malformed }
            before = ticks[index]
            // No tick lies beyond the last, whose time the header's check has found to fit.
            ticks[index] = axis.start &+ axis.tick &* ticks[index]
        }
        return ticks
    }
}
