public import Access
import Base

/// One series that a model declares: what its devices measure under one name.
public struct SeriesDeclaration: Hashable, Sendable {
    /// What kind of value the series holds.
    public enum Kind: String, CaseIterable, Sendable {
        /// Numbers.
        case number
        /// True or false.
        case boolean
        /// Text.
        case text
    }

    /// The name under which devices send it.
    public let name: String
    /// The symbol of its unit, such as `W`; nil when it has none.
    public let unit: String?
    /// The resolution: values are kept as whole multiples of ten to this power; nil lets the data decide.
    public let exponent: Int?
    /// The smallest value that is accepted; nil means no bound.
    public let lower: Double?
    /// The largest value that is accepted; nil means no bound.
    public let upper: Double?
    /// What kind of value it holds.
    public let kind: Kind
    /// The class of data that it belongs to, if only some who read telemetry may read it.
    public let dataClass: DataClass?

    /// A declaration with these properties.
    public init(
        name: String, unit: String? = nil, exponent: Int? = nil, lower: Double? = nil, upper: Double? = nil,
        kind: Kind = .number, dataClass: DataClass? = nil
    ) {
        self.name = name
        self.unit = unit
        self.exponent = exponent
        self.lower = lower
        self.upper = upper
        self.kind = kind
        self.dataClass = dataClass
    }

    /// Whether `value` lies within the declared range; not-a-number never does.
    @inlinable
    public func allows(_ value: Double) -> Bool {
        if value.isNaN { return false }
        if let lower, value < lower { return false }
        if let upper, value > upper { return false }
        return true
    }
}

extension SeriesDeclaration {
    /// The powers of ten that may be declared as a resolution.
    static let exponents: ClosedRange<Int64> = -18...18

    static func read(_ value: JSONValue, at pointer: String, faults: inout [Refusal.Fault]) -> SeriesDeclaration? {
        var reader = DocumentReader(value, at: pointer)
        let name = reader.text("name", limit: FleetLimits.seriesNameBytes)
        if name == nil, !reader.has("name") { reader.fault("name", "is missing") }
        let kind = reader.word("kind", of: Kind.self) ?? .number
        let dataClass = reader.word("class", of: DataClass.self)
        let unit = reader.text("unit", limit: FleetLimits.unitBytes)
        let exponent = reader.integer("exponent", in: exponents)
        let finite = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
        let lower = reader.number("lower", in: finite)
        let upper = reader.number("upper", in: finite)
        if let lower, let upper, lower > upper { reader.fault("upper", "must not be less than lower") }
        if kind != .number {
            for key in ["unit", "exponent", "lower", "upper"] where reader.has(key) {
                reader.fault(key, "belongs to numbers only")
            }
        }
        reader.finish()
        faults += reader.faults
        guard reader.faults.isEmpty, let name else { return nil }
        return SeriesDeclaration(
            name: name, unit: unit, exponent: exponent.map { Int($0) }, lower: lower, upper: upper, kind: kind,
            dataClass: dataClass)
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name), "kind": .string(kind.rawValue)]
        if let unit { members["unit"] = .string(unit) }
        if let exponent { members["exponent"] = .integer(Int64(exponent)) }
        if let lower { members["lower"] = .number(lower) }
        if let upper { members["upper"] = .number(upper) }
        if let dataClass { members["class"] = .string(dataClass.rawValue) }
        return .object(members)
    }
}
