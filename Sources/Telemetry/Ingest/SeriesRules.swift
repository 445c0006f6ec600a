/// What a model says about the series of its devices, in the form in which every reading is checked against it.
public struct SeriesRules: Sendable {
    /// One declared series.
    public struct Declaration: Hashable, Sendable {
        /// The unit in which values are kept, or none.
        public var unit: UnitSymbol
        /// The resolution: values are whole multiples of 10^exponent; nil keeps each value's own.
        public var exponent: Int8?
        /// The smallest allowed value.
        public var lower: DecimalNumber?
        /// The largest allowed value.
        public var upper: DecimalNumber?
        /// Whether the series holds booleans instead of numbers.
        public var isBoolean: Bool

        /// A declaration of a series with this resolution.
        public init(
            unit: UnitSymbol = .none, exponent: Int8?, lower: DecimalNumber? = nil, upper: DecimalNumber? = nil,
            isBoolean: Bool = false
        ) {
            self.unit = unit
            self.exponent = exponent
            self.lower = lower
            self.upper = upper
            self.isBoolean = isBoolean
        }
    }

    /// What happens to a reading of a series that is not declared.
    public enum Undeclared: String, Sendable {
        /// It is kept, at the resolution in which it comes.
        case accept
        /// Its whole message is refused.
        case refuse
        /// It is kept apart, under `quarantine/` and its name, until somebody decides.
        case quarantine
    }

    /// The declared series by name.
    public var declared: [String: Declaration]
    /// What happens to others.
    public var undeclared: Undeclared
    /// How old a reading may be when it comes.
    public var past: Duration
    /// How far ahead of the server's clock a reading may be.
    public var future: Duration

    /// Rules of a model; without declarations every series is accepted.
    public init(
        declared: [String: Declaration] = [:], undeclared: Undeclared = .accept,
        past: Duration = .seconds(3650 * 86_400),
        future: Duration = .seconds(86_400)
    ) {
        self.declared = declared
        self.undeclared = undeclared
        self.past = past
        self.future = future
    }
}
