/// The compressed records of one device and one hour, as `ChunkBuilder` made them.
///
/// Opening checks the checksum and the header, so the summaries can be trusted as written; the streams are decoded only
/// when points are asked for. Any bytes give either a chunk or a fault. docs/formats/chunk.md describes the format.
public struct Chunk: Sendable {
    private let bytes: [UInt8]
    private let header: ChunkHeader

    /// Opens a chunk that was made for the row of `place`.
    public init(_ bytes: [UInt8], at place: ChunkPlace? = nil) throws(ChunkFault) {
        guard bytes.count <= ChunkLimits.bytes else { throw .tooLarge }
        guard let version = bytes.first, bytes.count > 4 else { throw .damaged }
        header = try bytes.withUnsafeBufferPointer { bytes throws(ChunkFault) in
            let raw = UnsafeRawBufferPointer(bytes)
            let content = UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - 4)])
            let stored = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: content.count, as: UInt32.self))
            let seed = version == ChunkHeader.firstVersion ? 0 : place?.checksumSeed ?? 0
            guard Checksum.of(content, continuing: seed) == stored else { throw .damaged }
            return try ChunkHeader(content)
        }
        self.bytes = bytes
    }

    /// One summary a column, in the order in which they were added; a series may have several, of other exponents.
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
        try Self.checkTimes(of: points)
        return points
    }

    /// Several columns of one series have no time in common.
    private static func checkTimes(of columns: [ChunkPoints]) throws(ChunkFault) {
        var seen: [UInt32: Set<Int64>] = [:]
        guard Set(columns.lazy.map(\.series)).count < columns.count else { return }
        for column in columns {
            let before = seen[column.series]?.count ?? 0
            seen[column.series, default: []].formUnion(column.times)
            guard seen[column.series]?.count == before + column.times.count else { throw .malformed }
        }
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
