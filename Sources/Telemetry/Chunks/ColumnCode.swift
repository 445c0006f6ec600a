/// How one column of integers, values or times, is predicted and coded.
///
/// The prediction leaves residuals, the first of them for the second value:
/// `linear` nothing, every value is the one before plus `step`;
/// `delta` what the value differs from the one before plus `step`;
/// `trend` what the difference differs from the difference before, at first from `step`.
/// All arithmetic wraps, so that every column of 64-bit integers survives and no bytes can trap.
struct ColumnCode: Hashable, Sendable {
    enum Kind: UInt8, Sendable {
        case linear = 0
        case delta = 1
        case trend = 2
    }

    var kind: Kind
    var step: Int64
    /// Levels of the tree of bit lengths, 0 to 6.
    var levels: Int

    /// The code that should make `values` smallest, judged by the bits of the residuals, and these bits.
    static func best(for values: [Int64]) -> (code: ColumnCode, cost: Int) {
        values.withUnsafeBufferPointer { best(for: $0) }
    }

    private static func best(for values: UnsafeBufferPointer<Int64>) -> (code: ColumnCode, cost: Int) {
        guard values.count > 1 else { return (ColumnCode(kind: .linear, step: 0), 0) }
        let steps = candidateSteps(of: values)
        var best = (cost: Int.max, kind: Kind.delta, step: Int64(0))
        for step in steps {
            let cost = cost(of: values, kind: .delta, step: step)
            if cost == 0 { return (ColumnCode(kind: .linear, step: step), 0) }
            if cost < best.cost { best = (cost, .delta, step) }
        }
        let start = values[1] &- values[0]
        // The trend doubles noise, so it must be clearly better before it is taken.
        let trend = cost(of: values, kind: .trend, step: start)
        if trend < best.cost - best.cost / 8 { best = (trend, .trend, start) }
        return (ColumnCode(kind: best.kind, step: best.step), best.cost)
    }

    init(kind: Kind, step: Int64, levels: Int = 0) {
        self.kind = kind
        self.step = step
        self.levels = levels
    }

    /// None, the difference that most steps have if one has the majority, and the mean difference.
    private static func candidateSteps(of values: UnsafeBufferPointer<Int64>) -> [Int64] {
        var majority: Int64 = 0
        var lead = 0
        for index in 1..<values.count {
            let difference = values[index] &- values[index - 1]
            if lead == 0 { majority = difference }
            lead += difference == majority ? 1 : -1
        }
        let span = Int128(values[values.count - 1]) - Int128(values[0])
        let mean = Int64(truncatingIfNeeded: span / Int128(values.count - 1))
        var steps: [Int64] = [0]
        for step in [majority, mean] where !steps.contains(step) { steps.append(step) }
        return steps
    }

    private static func cost(of values: UnsafeBufferPointer<Int64>, kind: Kind, step: Int64) -> Int {
        var cost = 0
        var expected = step
        for index in 1..<values.count {
            let difference = values[index] &- values[index - 1]
            let residual = difference &- expected
            if kind == .trend { expected = difference }
            if residual != 0 { cost += 66 - residual.magnitude.leadingZeroBitCount }
        }
        return cost
    }

    /// The residuals of `values`, one fewer than these.
    func residuals(of values: [Int64]) -> [Int64] {
        [Int64](unsafeUninitializedCapacity: values.count - 1) { residuals, count in
            var expected = step
            for index in 1..<values.count {
                let difference = values[index] &- values[index - 1]
                residuals[index - 1] = difference &- expected
                if kind == .trend { expected = difference }
            }
            count = values.count - 1
        }
    }

    /// The values that begin with `first` and leave these residuals; without residuals, the linear ones.
    func values(first: Int64, count: Int, residuals: [Int64]) -> [Int64] {
        [Int64](unsafeUninitializedCapacity: count) { values, filled in
            var value = first
            var difference = step
            values[0] = value
            for index in 1..<count {
                switch kind {
                case .linear: value &+= step
                case .delta: value &+= step &+ residuals[index - 1]
                case .trend:
                    difference &+= residuals[index - 1]
                    value &+= difference
                }
                values[index] = value
            }
            filled = count
        }
    }

    /// Decodes `count` residuals, with the reference column's beside them.
    func decode(_ stream: UnsafeRawBufferPointer, count: Int, reference: [Int64]?) -> [Int64] {
        let coder = ResidualCoder(levels: levels)
        return [Int64](unsafeUninitializedCapacity: count) { residuals, filled in
            let residuals = UnsafeMutableBufferPointer(rebasing: residuals[0..<count])
            if let reference, reference.count == count {
                reference.withUnsafeBufferPointer { coder.decode(stream, reference: $0, into: residuals) }
            } else {
                coder.decode(stream, reference: nil, into: residuals)
            }
            filled = count
        }
    }
}
