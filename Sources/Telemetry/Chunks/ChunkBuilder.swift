/// Collects the columns of one device and one hour and encodes them.
public struct ChunkBuilder: Sendable {
    private var columns: [ChunkPoints] = []
    /// Where each series' columns are, nearly always one.
    private var series: [UInt32: [Int]] = [:]
    private var samples = 0

    /// A builder without columns.
    public init() {}

    /// Whether nothing was added.
    public var isEmpty: Bool { columns.isEmpty }

    /// Whether the chunk has room for these columns of a series that it does not have yet.
    func hasRoom(for columns: [ChunkPoints]) -> Bool {
        guard let first = columns.first, series[first.series] == nil else { return false }
        return self.columns.count + columns.count <= ChunkLimits.columns
            && columns.reduce(samples) { $0 + $1.times.count } <= ChunkLimits.samples
    }

    /// Adds a column: at least one point, as many mantissas as times, times rising.
    ///
    /// A series may have several columns when its values share no exponent: each has another, and no two a time.
    public mutating func add(_ column: ChunkPoints) throws(ChunkFault) {
        let times = column.times
        guard !times.isEmpty, times.count == column.mantissas.count else { throw .badColumn }
        for index in times.indices.dropFirst() where times[index] <= times[index - 1] { throw .badColumn }
        guard !times[times.count - 1].subtractingReportingOverflow(times[0]).overflow else { throw .badColumn }
        guard columns.count < ChunkLimits.columns, times.count <= ChunkLimits.points,
            samples + times.count <= ChunkLimits.samples
        else { throw .tooLarge }
        for other in series[column.series] ?? [] {
            guard columns[other].exponent != column.exponent, Set(columns[other].times).isDisjoint(with: times) else {
                throw .badColumn
            }
        }
        series[column.series, default: []].append(columns.count)
        samples += times.count
        columns.append(column)
    }

    /// The chunk's bytes, for the row of `place` when it is to be stored.
    public func encoded(at place: ChunkPlace? = nil) -> [UInt8] {
        var header = ChunkHeader()
        var axisStreams: [[UInt8]] = []
        var columnStreams: [[UInt8]] = []
        var axisTimes: [[Int64]] = []
        /// Columns that others may refer to, by axis.
        var roots: [Int: [(index: Int, residuals: [Int64])]] = [:]
        for (index, column) in columns.enumerated() {
            let axis: Int
            if let known = axisTimes.firstIndex(of: column.times) {
                axis = known
            } else {
                axis = axisTimes.count
                axisTimes.append(column.times)
                let (description, stream) = Self.axis(column.times)
                header.axes.append(description)
                axisStreams.append(stream)
            }
            let summary = Self.summary(of: column)
            var (code, cost) = ColumnCode.best(for: column.mantissas)
            var values = column.mantissas
            // A linear column is described by its step alone; one whose values wrap around is not worth a rule.
            if code.kind == .linear, summary.last != column.mantissas.last || !Self.fitsLinear(summary, step: code.step)
            {
                code = ColumnCode(kind: .delta, step: code.step)
            }
            let binary = Self.binary(column, cost: cost)
            if let binary { (code, values) = binary }
            var description = ChunkHeader.Column(summary: summary, axis: axis, code: code, isBinary: binary != nil)
            var stream: [UInt8] = []
            if code.kind != .linear {
                let residuals = code.residuals(of: values)
                let candidates = roots[axis, default: []]
                description.reference = ReferenceChoice.best(for: residuals, among: candidates)
                let reference = candidates.first { $0.index == description.reference }?.residuals
                (description.code.levels, stream) = Self.stream(residuals, reference: reference)
                description.depth = description.reference.map { header.columns[$0].depth + 1 } ?? 0
                if description.depth < ChunkLimits.references { roots[axis, default: []].append((index, residuals)) }
            }
            description.stream = 0..<stream.count
            header.columns.append(description)
            columnStreams.append(stream)
        }
        var bytes: [UInt8] = []
        header.write(to: &bytes)
        for stream in axisStreams + columnStreams { bytes.append(contentsOf: stream) }
        let checksum = bytes.withUnsafeBytes { Checksum.of($0, continuing: place?.checksumSeed ?? 0) }
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        return bytes
    }

    private static func axis(_ times: [Int64]) -> (ChunkHeader.Axis, [UInt8]) {
        let start = times[0]
        var tick: Int64 = 0
        for time in times where tick != 1 { tick = greatestCommonDivisor(tick, time - start) }
        tick = max(tick, 1)
        let ticks = times.map { ($0 - start) / tick }
        let code = ColumnCode.best(for: ticks).code
        var axis = ChunkHeader.Axis(
            count: times.count, start: start, tick: tick, code: code, span: ticks[ticks.count - 1])
        guard code.kind != .linear else { return (axis, []) }
        let residuals = code.residuals(of: ticks)
        let (levels, stream) = stream(residuals, reference: nil)
        axis.code.levels = levels
        axis.stream = 0..<stream.count
        return (axis, stream)
    }

    /// The column as ordinals of 32-bit floats, when its residuals are long and that makes them clearly shorter.
    private static func binary(_ column: ChunkPoints, cost: Int) -> (ColumnCode, [Int64])? {
        guard cost > column.mantissas.count * 10,
            let ordinals = BinaryColumn.ordinals(of: column.mantissas, exponent: column.exponent)
        else { return nil }
        let (code, binaryCost) = ColumnCode.best(for: ordinals)
        // A linear row of ordinals is no linear column; it is left to the mantissas.
        return code.kind != .linear && binaryCost < cost - cost / 16 ? (code, ordinals) : nil
    }

    private static func stream(_ residuals: [Int64], reference: [Int64]?) -> (levels: Int, [UInt8]) {
        residuals.withUnsafeBufferPointer { residuals in
            let levels = ResidualCoder.levels(for: residuals)
            let coder = ResidualCoder(levels: levels)
            guard let reference else { return (levels, coder.encode(residuals, reference: nil)) }
            return (levels, reference.withUnsafeBufferPointer { coder.encode(residuals, reference: $0) })
        }
    }

    private static func summary(of column: ChunkPoints) -> ChunkSummary {
        let mantissas = column.mantissas
        var summary = ChunkSummary(
            series: column.series, exponent: column.exponent, count: mantissas.count, firstTime: column.times[0],
            lastTime: column.times[mantissas.count - 1], first: mantissas[0], last: mantissas[mantissas.count - 1],
            minimum: mantissas[0], maximum: mantissas[0], sum: 0)
        for mantissa in mantissas {
            summary.minimum = min(summary.minimum, mantissa)
            summary.maximum = max(summary.maximum, mantissa)
            summary.sum += Int128(mantissa)
        }
        return summary
    }

    private static func fitsLinear(_ summary: ChunkSummary, step: Int64) -> Bool {
        Int128(summary.first) + Int128(step) * Int128(summary.count - 1) == Int128(summary.last)
    }

    private static func greatestCommonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
