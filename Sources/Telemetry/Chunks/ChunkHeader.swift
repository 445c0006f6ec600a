/// The part of a chunk before its streams; docs/formats/chunk.md describes every byte.
struct ChunkHeader: Hashable, Sendable {
    /// The version that is written.
    static let version: UInt8 = 2
    /// Before it, a series had one column and the checksum did not cover the place.
    static let firstVersion: UInt8 = 1

    /// The times that one or more columns share.
    struct Axis: Hashable, Sendable {
        var count: Int
        var start: Int64
        /// What the times count: all differences are multiples of this.
        var tick: Int64
        var code: ColumnCode
        /// Ticks from the first time to the last.
        var span: Int64
        /// Where the stream lies in the chunk.
        var stream: Range<Int> = 0..<0

        var end: Int64 { start &+ tick &* span }
    }

    /// One series.
    struct Column: Hashable, Sendable {
        var summary: ChunkSummary
        var axis: Int
        var code: ColumnCode
        /// Whether the ordinals of 32-bit floats are coded instead of the mantissas.
        var isBinary = false
        var reference: Int?
        /// How many references lead from this column to one without.
        var depth = 0
        var stream: Range<Int> = 0..<0
    }

    var axes: [Axis] = []
    var columns: [Column] = []
}

extension ChunkHeader {
    /// Appends the header to `bytes`; the streams' ranges only tell their lengths.
    func write(to bytes: inout [UInt8]) {
        bytes.append(Self.version)
        Varint.append(UInt64(axes.count), to: &bytes)
        Varint.append(UInt64(columns.count), to: &bytes)
        for axis in axes {
            Varint.append(UInt64(axis.count), to: &bytes)
            Varint.append(signed: axis.start, to: &bytes)
            Varint.append(UInt64(axis.tick), to: &bytes)
            bytes.append(axis.code.kind.rawValue | UInt8(axis.code.levels) << 2)
            Varint.append(signed: axis.code.step, to: &bytes)
            guard axis.code.kind != .linear else { continue }
            Varint.append(UInt64(axis.span), to: &bytes)
            Varint.append(UInt64(axis.stream.count), to: &bytes)
        }
        for column in columns { Self.write(column, to: &bytes) }
    }

    private static func write(_ column: Column, to bytes: inout [UInt8]) {
        let summary = column.summary
        Varint.append(UInt64(summary.series), to: &bytes)
        bytes.append(UInt8(bitPattern: summary.exponent))
        Varint.append(UInt64(column.axis), to: &bytes)
        bytes.append(
            column.code.kind.rawValue | UInt8(column.code.levels) << 2 | (column.reference == nil ? 0 : 32)
                | (column.isBinary ? 64 : 0))
        if let reference = column.reference { Varint.append(UInt64(reference), to: &bytes) }
        Varint.append(signed: column.code.step, to: &bytes)
        Varint.append(signed: summary.first, to: &bytes)
        guard column.code.kind != .linear else { return }
        Varint.append(signed: summary.last &- summary.first, to: &bytes)
        Varint.append(UInt64(bitPattern: summary.first &- summary.minimum), to: &bytes)
        Varint.append(UInt64(bitPattern: summary.maximum &- summary.first), to: &bytes)
        append(wide: summary.sum - Int128(summary.first) * Int128(summary.count), to: &bytes)
        Varint.append(UInt64(column.stream.count), to: &bytes)
    }

    /// A sum can need more than 64 bits: zig-zag and seven bits a byte, as `Varint`.
    private static func append(wide value: Int128, to bytes: inout [UInt8]) {
        var rest = UInt128(bitPattern: value << 1) ^ UInt128(bitPattern: value >> 127)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Reads the header of `bytes`, whose checksum is already taken off, and checks every rule that needs no stream.
    init(_ bytes: UnsafeRawBufferPointer) throws(ChunkFault) {
        var reader = ChunkReader(LogReader(bytes))
        let version = try reader.byte()
        guard version == Self.version || version == Self.firstVersion else { throw .unknownVersion }
        let axisCount = try reader.count(limit: ChunkLimits.columns)
        let columnCount = try reader.count(limit: ChunkLimits.columns)
        guard axisCount <= columnCount else { throw .malformed }
        var lengths: [Int] = []
        for _ in 0..<axisCount {
            let (axis, length) = try reader.axis()
            axes.append(axis)
            lengths.append(length)
        }
        var samples = 0
        var seen: Set<Int64> = []
        for index in 0..<columnCount {
            let (column, length) = try reader.column(index: index, axes: axes, earlier: columns)
            samples += column.summary.count
            let exponent = version == Self.firstVersion ? 0 : Int64(column.summary.exponent)
            guard seen.insert(Int64(column.summary.series) << 8 + exponent).inserted else { throw .malformed }
            guard samples <= ChunkLimits.samples else { throw .tooLarge }
            columns.append(column)
            lengths.append(length)
        }
        var position = reader.position
        for (index, length) in lengths.enumerated() {
            guard length <= bytes.count - position else { throw .malformed }
            let stream = position..<position + length
            if index < axisCount { axes[index].stream = stream } else { columns[index - axisCount].stream = stream }
            position += length
        }
        guard position == bytes.count else { throw .malformed }
    }
}

/// Reads the fields of a header.
private struct ChunkReader {
    private var reader: LogReader

    init(_ reader: LogReader) {
        self.reader = reader
    }

    var position: Int { reader.position }

    mutating func byte() throws(ChunkFault) -> UInt8 {
        guard let byte = reader.byte() else { throw .malformed }
        return byte
    }

    private mutating func unsigned() throws(ChunkFault) -> UInt64 {
        guard let value = reader.varint() else { throw .malformed }
        return value
    }

    private mutating func signed() throws(ChunkFault) -> Int64 {
        guard let value = reader.signed() else { throw .malformed }
        return value
    }

    mutating func count(limit: Int) throws(ChunkFault) -> Int {
        let value = try unsigned()
        guard value <= UInt64(limit) else { throw .tooLarge }
        return Int(value)
    }

    private mutating func wide() throws(ChunkFault) -> Int128 {
        var value: UInt128 = 0
        for shift in stride(from: UInt128(0), to: 128, by: 7) {
            let next = try byte()
            value |= UInt128(next & 0x7F) << shift
            if next & 0x80 == 0 { return Int128(bitPattern: value >> 1) ^ -Int128(bitPattern: value & 1) }
        }
        throw .malformed
    }

    /// Reads kind and levels from `flags`, then the step.
    private mutating func code(_ flags: UInt8) throws(ChunkFault) -> ColumnCode {
        let levels = Int(flags >> 2 & 7)
        guard let kind = ColumnCode.Kind(rawValue: flags & 3), levels <= 6 else { throw .malformed }
        return ColumnCode(kind: kind, step: try signed(), levels: levels)
    }

    mutating func axis() throws(ChunkFault) -> (ChunkHeader.Axis, streamLength: Int) {
        let count = try count(limit: ChunkLimits.points)
        let start = try signed()
        guard count > 0, let tick = Int64(exactly: try unsigned()), tick > 0 else { throw .malformed }
        let flags = try byte()
        guard flags < 32 else { throw .malformed }
        let code = try code(flags)
        let span: Int64
        var length = 0
        if code.kind == .linear {
            let (ticks, overflow) = code.step.multipliedReportingOverflow(by: Int64(count - 1))
            guard !overflow, count == 1 || code.step > 0 else { throw .malformed }
            span = ticks
        } else {
            guard let ticks = Int64(exactly: try unsigned()), ticks >= count - 1 else { throw .malformed }
            span = ticks
            length = try self.count(limit: ChunkLimits.bytes)
        }
        // Times rise from the first to the last, so when the last fits, all do.
        let (distance, overflow) = tick.multipliedReportingOverflow(by: span)
        guard !overflow, !start.addingReportingOverflow(distance).overflow else { throw .malformed }
        return (ChunkHeader.Axis(count: count, start: start, tick: tick, code: code, span: span), length)
    }

    mutating func column(
        index: Int, axes: [ChunkHeader.Axis], earlier: [ChunkHeader.Column]
    ) throws(ChunkFault) -> (ChunkHeader.Column, streamLength: Int) {
        guard let series = UInt32(exactly: try unsigned()) else { throw .malformed }
        let exponent = Int8(bitPattern: try byte())
        let axisIndex = try count(limit: ChunkLimits.columns)
        guard axes.indices.contains(axisIndex) else { throw .malformed }
        let axis = axes[axisIndex]
        let flags = try byte()
        guard flags < 128 else { throw .malformed }
        var reference: Int?
        if flags & 32 != 0 {
            let other = try count(limit: ChunkLimits.columns)
            // A reference is an earlier column on the same times, so there are no cycles, and chains are short.
            guard earlier.indices.contains(other), earlier[other].axis == axisIndex,
                earlier[other].code.kind != .linear, earlier[other].depth < ChunkLimits.references
            else { throw .malformed }
            reference = other
        }
        let code = try code(flags & 31)
        let first = try signed()
        var summary = ChunkSummary(
            series: series, exponent: exponent, count: axis.count, firstTime: axis.start, lastTime: axis.end,
            first: first, last: first, minimum: first, maximum: first, sum: 0)
        if code.kind == .linear {
            guard reference == nil, flags & 64 == 0 else { throw .malformed }
            try Self.complete(&summary, step: code.step)
            return (ChunkHeader.Column(summary: summary, axis: axisIndex, code: code), 0)
        }
        summary.last = first &+ (try signed())
        summary.minimum = first &- Int64(bitPattern: try unsigned())
        summary.maximum = first &+ Int64(bitPattern: try unsigned())
        let (sum, overflow) = try wide().addingReportingOverflow(Int128(first) * Int128(axis.count))
        guard !overflow, summary.minimum <= min(first, summary.last), summary.maximum >= max(first, summary.last) else {
            throw .malformed
        }
        summary.sum = sum
        let length = try count(limit: ChunkLimits.bytes)
        let column = ChunkHeader.Column(
            summary: summary, axis: axisIndex, code: code, isBinary: flags & 64 != 0, reference: reference,
            depth: reference.map { earlier[$0].depth + 1 } ?? 0)
        return (column, length)
    }

    /// A linear column's summary follows from its first value and step.
    private static func complete(_ summary: inout ChunkSummary, step: Int64) throws(ChunkFault) {
        let steps = Int128(summary.count - 1)
        guard let last = Int64(exactly: Int128(summary.first) + Int128(step) * steps) else { throw .malformed }
        summary.last = last
        summary.minimum = min(summary.first, last)
        summary.maximum = max(summary.first, last)
        summary.sum = (Int128(summary.first) + Int128(last)) * Int128(summary.count) / 2
    }
}
