/// Chooses for a column the other column whose residuals say most about its own.
enum ReferenceChoice {
    /// Earlier columns that are tried at most.
    private static let candidates = 8
    /// Bits that a reference must promise to save, because the finer contexts also have to be learnt.
    private static let worthwhile = 80.0

    /// The index, among `earlier`, of the column to refer to, or nil when none helps enough.
    static func best(for residuals: [Int64], among earlier: [(index: Int, residuals: [Int64])]) -> Int? {
        var best: (index: Int, saving: Double)?
        for candidate in earlier.prefix(candidates) where candidate.residuals.count == residuals.count {
            let saving = mutualInformation(residuals, candidate.residuals)
            if saving > best?.saving ?? worthwhile { best = (candidate.index, saving) }
        }
        return best?.index
    }

    /// Zero, small or large, by sign: what the contexts of `ResidualCoder` can tell apart.
    @inline(__always)
    private static func grade(_ residual: Int64) -> Int {
        if residual == 0 { return 0 }
        return (residual < 0 ? 3 : 1) + (residual.magnitude < 4 ? 0 : 1)
    }

    /// How many bits knowing one column's grades saves on the other's.
    private static func mutualInformation(_ own: [Int64], _ other: [Int64]) -> Double {
        var joint = [Int](repeating: 0, count: 25)
        for index in own.indices { joint[grade(own[index]) * 5 + grade(other[index])] += 1 }
        var total = 0.0
        for mine in 0..<5 {
            let row = (0..<5).reduce(0) { $0 + joint[mine * 5 + $1] }
            for theirs in 0..<5 where joint[mine * 5 + theirs] > 0 {
                let column = (0..<5).reduce(0) { $0 + joint[$1 * 5 + theirs] }
                let both = Double(joint[mine * 5 + theirs])
                total += both * log2(both * Double(own.count) / (Double(row) * Double(column)))
            }
        }
        return total
    }

    /// The binary logarithm by halving and squaring, to a thousandth: enough for a choice, and no C library needed.
    private static func log2(_ value: Double) -> Double {
        var result = Double(value.exponent)
        var rest = value.significand
        var weight = 0.5
        for _ in 0..<10 {
            rest *= rest
            if rest >= 2 {
                rest /= 2
                result += weight
            }
            weight /= 2
        }
        return result
    }
}
