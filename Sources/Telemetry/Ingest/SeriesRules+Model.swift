import Base
public import Fleet

extension SeriesRules {
    /// The rules of a device's model; a device without one may report anything.
    public init(model: Model?) {
        self.init()
        guard let model else { return }
        for declared in model.series {
            self.declared[declared.name] = Declaration(
                unit: declared.unit.flatMap { UnitSymbol($0) } ?? .none,
                exponent: declared.exponent.map { Int8(clamping: $0) },
                lower: declared.lower.flatMap { try? DecimalNumber(shortest: $0) },
                upper: declared.upper.flatMap { try? DecimalNumber(shortest: $0) },
                isBoolean: declared.kind == .boolean)
        }
        undeclared =
            switch model.undeclared {
            case .accept: .accept
            case .refuse: .refuse
            case .quarantine: .quarantine
            }
        past = model.timeWindow.past
        future = model.timeWindow.future
    }
}
