/// What a step of a stepped query can say about the points that fall into it.
public enum Aggregate: String, Sendable, CaseIterable {
    /// The smallest value.
    case min
    /// The largest value.
    case max
    /// Sum divided by count.
    case mean
    /// The sum of the values.
    case sum
    /// How many points there are.
    case count
    /// The value of the earliest point.
    case first
    /// The value of the latest point.
    case last
}

/// A value on its way out of a query.
public enum PointValue: Hashable, Sendable {
    /// The exact decimal mantissa × 10^exponent.
    case exact(Int64, exponent: Int8)
    /// A computed value.
    case binary(Double)

    /// Appends the value as JSON and CSV write numbers.
    public func write(to text: inout [UInt8]) {
        switch self {
        case .exact(let mantissa, let exponent): DecimalNumber(mantissa, exponent: exponent).write(to: &text)
        case .binary(let value):
            guard value.isFinite else { return text.append(contentsOf: "null".utf8) }
            if let whole = Int64(exactly: value) {
                text.append(contentsOf: String(whole).utf8)
            } else {
                text.append(contentsOf: value.description.utf8)
            }
        }
    }
}

extension PointValue: CustomStringConvertible {
    /// The number as JSON writes it.
    public var description: String {
        var text: [UInt8] = []
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
