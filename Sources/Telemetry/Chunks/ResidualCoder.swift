/// How a column's residuals (what a prediction left over) become bits.
///
/// Each residual is a flag "not zero", a sign, the bit length of its magnitude less one (a binary tree), the two bits
/// below the leading one, and the rest as plain bits. The contexts say what is known: whether the last two residuals
/// were zero, the last sign, the last bit length, and what the reference column did at the same time: a meter's power
/// rarely changes when its voltage does not.
struct ResidualCoder: ~Copyable {
    private let model: BitModel
    /// Levels of the tree of bit lengths: 2^levels is more than the longest.
    private let levels: Int

    private static let zeroContexts = 8
    private static let signContexts = 9
    private static let lengthBase = zeroContexts + signContexts
    /// The last bit length is told apart up to this.
    private static let lengthCap = 3
    /// The reference's magnitude is told apart up to this many bits.
    private static let referenceCap = 3

    init(levels: Int) {
        self.levels = levels
        model = BitModel(contexts: Self.lengthBase + ((Self.referenceCap + 1) * (Self.lengthCap + 1) + 4) << levels)
    }

    /// The levels that residuals need.
    static func levels(for residuals: UnsafeBufferPointer<Int64>) -> Int {
        var all: UInt64 = 0
        for residual in residuals where residual != 0 { all |= residual.magnitude &- 1 }
        let longest = 64 - all.leadingZeroBitCount
        return 64 - UInt64(longest).leadingZeroBitCount
    }

    /// What was seen before the residual that comes.
    private struct History {
        var zeros = 0
        var sign = 0
        var length = 0
    }

    /// The first context of the tree of bit lengths for this history and reference.
    @inline(__always)
    private func lengthContext(_ history: History, _ reference: Int64) -> Int {
        let bits = min(64 &- reference.magnitude.leadingZeroBitCount, Self.referenceCap)
        return Self.lengthBase &+ (bits &* (Self.lengthCap &+ 1) &+ history.length) << levels
    }

    /// The first of the four contexts of the two bits below the leading one.
    @inline(__always)
    private func detailContext(_ length: Int) -> Int {
        Self.lengthBase &+ ((Self.referenceCap &+ 1) &* (Self.lengthCap &+ 1)) << levels &+ length &* 4
    }

    @inline(__always)
    private static func signClass(_ residual: Int64) -> Int { residual == 0 ? 0 : residual < 0 ? 2 : 1 }

    /// Encodes residuals, with those of the reference column at the same times, or none.
    func encode(_ residuals: UnsafeBufferPointer<Int64>, reference: UnsafeBufferPointer<Int64>?) -> [UInt8] {
        var coder = RangeEncoder()
        var history = History()
        for index in residuals.indices {
            let residual = residuals[index]
            let other = reference?[index] ?? 0
            coder.encode(residual == 0 ? 0 : 1, history.zeros | (other == 0 ? 0 : 4), model)
            history.zeros = (history.zeros << 1 | (residual == 0 ? 0 : 1)) & 3
            guard residual != 0 else { continue }
            coder.encode(
                residual < 0 ? 1 : 0, Self.zeroContexts + history.sign * 3 + Self.signClass(other), model)
            let magnitude = residual.magnitude &- 1
            let length = 64 - magnitude.leadingZeroBitCount
            let base = lengthContext(history, other)
            var node = 1
            for level in stride(from: levels - 1, through: 0, by: -1) {
                let bit = length >> level & 1
                coder.encode(bit, base + node, model)
                node = node << 1 | bit
            }
            encodeDetail(magnitude, length: length, &coder)
            history.sign = Self.signClass(residual)
            history.length = min(length + 1, Self.lengthCap)
        }
        return coder.finish()
    }

    @inline(__always)
    private func encodeDetail(_ magnitude: UInt64, length: Int, _ coder: inout RangeEncoder) {
        guard length >= 2 else { return }
        let context = detailContext(length)
        let first = Int(truncatingIfNeeded: magnitude >> UInt64(length - 2)) & 1
        coder.encode(first, context, model)
        guard length >= 3 else { return }
        coder.encode(Int(truncatingIfNeeded: magnitude >> UInt64(length - 3)) & 1, context + 1 + first, model)
        var left = length - 3
        while left > 0 {
            let count = min(left, 24)
            left -= count
            coder.encode(plain: magnitude >> UInt64(left) & (1 << UInt64(count) - 1), count: count)
        }
    }

    /// Decodes as many residuals as `residuals` holds.
    func decode(
        _ bytes: UnsafeRawBufferPointer, reference: UnsafeBufferPointer<Int64>?,
        into residuals: UnsafeMutableBufferPointer<Int64>
    ) {
        var coder = RangeDecoder(bytes)
        var history = History()
        for index in residuals.indices {
            let other = reference?[index] ?? 0
            let isNonzero = coder.decode(history.zeros | (other == 0 ? 0 : 4), model)
            history.zeros = (history.zeros << 1 | isNonzero) & 3
            guard isNonzero != 0 else {
                residuals[index] = 0
                continue
            }
            let isNegative = coder.decode(Self.zeroContexts + history.sign * 3 + Self.signClass(other), model)
            let base = lengthContext(history, other)
            var node = 1
            for _ in 0..<levels { node = node << 1 | coder.decode(base &+ node, model) }
            let length = node &- 1 << levels
            let magnitude = decodeDetail(length: length, &coder) &+ 1
            residuals[index] = Int64(truncatingIfNeeded: isNegative != 0 ? 0 &- magnitude : magnitude)
            history.sign = isNegative != 0 ? 2 : 1
            history.length = min(length &+ 1, Self.lengthCap)
        }
    }

    @inline(__always)
    private func decodeDetail(length: Int, _ coder: inout RangeDecoder) -> UInt64 {
        guard length >= 2 else { return UInt64(truncatingIfNeeded: length) }
        let context = detailContext(length)
        let first = coder.decode(context, model)
        var magnitude = 2 | UInt64(truncatingIfNeeded: first)
        guard length >= 3 else { return magnitude }
        magnitude = magnitude << 1 | UInt64(truncatingIfNeeded: coder.decode(context &+ 1 &+ first, model))
        var left = length &- 3
        while left > 0 {
            let count = min(left, 24)
            left &-= count
            magnitude = magnitude << UInt64(count) | coder.decodePlain(count: count)
        }
        return magnitude
    }
}
