extension Chunk {
    /// One chunk with the points of both: where both have a value of a series at the same time, `later`'s counts.
    ///
    /// A series at two resolutions is kept at the finer one. Where that does not fit 64 bits, the coarser one is taken
    /// and values are rounded half to even.
    public static func merged(_ earlier: Chunk, _ later: Chunk) throws(ChunkFault) -> [UInt8] {
        var builder = ChunkBuilder()
        var additions: [UInt32: ChunkPoints] = [:]
        let added = try later.points()
        for column in added { additions[column.series] = column }
        for column in try earlier.points() {
            guard let addition = additions.removeValue(forKey: column.series) else {
                try builder.add(column)
                continue
            }
            try builder.add(column.overlaid(by: addition))
        }
        for column in added where additions[column.series] != nil { try builder.add(column) }
        return builder.encoded()
    }
}

extension ChunkPoints {
    /// These points with those of `later` laid over them.
    public func overlaid(by later: ChunkPoints) -> ChunkPoints {
        let exponent = Self.commonExponent(self, later)
        let (own, others) = (rescaled(to: exponent), later.rescaled(to: exponent))
        var result = ChunkPoints(series: series, exponent: exponent, times: [], mantissas: [])
        result.times.reserveCapacity(own.count + others.count)
        result.mantissas.reserveCapacity(own.count + others.count)
        var (mine, theirs) = (0, 0)
        while mine < own.count || theirs < others.count {
            let takesTheirs = mine == own.count || (theirs < others.count && later.times[theirs] <= times[mine])
            if takesTheirs {
                if mine < own.count, times[mine] == later.times[theirs] { mine += 1 }
                result.times.append(later.times[theirs])
                result.mantissas.append(others[theirs])
                theirs += 1
            } else {
                result.times.append(times[mine])
                result.mantissas.append(own[mine])
                mine += 1
            }
        }
        return result
    }

    /// The finer exponent at which all mantissas of both fit.
    private static func commonExponent(_ left: ChunkPoints, _ right: ChunkPoints) -> Int8 {
        let (fine, coarse) = left.exponent <= right.exponent ? (left, right) : (right, left)
        let largest = coarse.mantissas.lazy.map(\.magnitude).max() ?? 0
        var exponent = fine.exponent
        while exponent < coarse.exponent, !fits(largest, shiftedBy: Int(coarse.exponent) - Int(exponent)) {
            exponent += 1
        }
        return exponent
    }

    private static func fits(_ magnitude: UInt64, shiftedBy places: Int) -> Bool {
        if magnitude == 0 { return true }
        guard let power = DecimalNumber.powerOfTen(places) else { return false }
        return magnitude <= UInt64(Int64.max) / UInt64(power)
    }

    private func rescaled(to target: Int8) -> [Int64] {
        guard target != exponent else { return mantissas }
        return mantissas.map { mantissa in
            // The exponent was chosen so that every value fits; only lost digits are possible, and they are rounded.
            let number = DecimalNumber(canonical: mantissa, exponent: exponent)
            return (try? number.mantissa(at: target, rounding: .halfEven)) ?? mantissa
        }
    }
}
