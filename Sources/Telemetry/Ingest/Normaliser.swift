import Base

/// Turns readings into logged values by the model's rules: the right series number, one exponent, checked ranges.
struct Normaliser: Sendable {
    /// The prefix under which quarantined series are kept.
    static let quarantinePrefix = "quarantine/"

    private enum Plan {
        case unknown
        case declared(number: UInt32, SeriesRules.Declaration)
        case undeclared(number: UInt32)
        case refused(ReadingFault)
    }

    let rules: SeriesRules
    private let tenant: TenantID
    private let registry: LogRegistry
    private var plans: [Plan] = []
    private var generation = 0

    init(rules: SeriesRules, tenant: TenantID, registry: LogRegistry) {
        self.rules = rules
        self.tenant = tenant
        self.registry = registry
    }

    /// The value to log for `reading`, whose series is named in `names`.
    mutating func normalise(
        _ reading: Reading, names: SeriesNameCache, received: Timestamp
    ) throws(ReadingFault) -> LoggedValue {
        if reading.isStamped {
            if reading.time < received - rules.past { throw .tooOld }
            if reading.time > received + rules.future { throw .tooFarAhead }
        }
        if generation != names.generation {
            plans.removeAll(keepingCapacity: true)
            generation = names.generation
        }
        let index = Int(reading.series)
        while plans.count <= index { plans.append(.unknown) }
        if case .unknown = plans[index] {
            plans[index] = plan(for: names.name(at: reading.series) ?? "", unit: reading.unit)
        }
        switch plans[index] {
        case .declared(let number, let declaration):
            return try value(of: reading, in: declaration, number: number)
        case .undeclared(let number):
            switch reading.value {
            case .number(let value):
                return LoggedValue(series: number, exponent: value.exponent, mantissa: value.mantissa)
            case .boolean(let value): return LoggedValue(series: number, exponent: 0, mantissa: value ? 1 : 0)
            case .text, .data: throw .text
            }
        case .refused(let fault): throw fault
        case .unknown: throw .undeclared
        }
    }

    private func plan(for name: String, unit: UnitSymbol) -> Plan {
        if let declaration = rules.declared[name] {
            return number(of: name, unit: declaration.unit).map { .declared(number: $0, declaration) }
                ?? .refused(.tooManySeries)
        }
        switch rules.undeclared {
        case .refuse: return .refused(.undeclared)
        case .accept: return number(of: name, unit: unit).map(Plan.undeclared) ?? .refused(.tooManySeries)
        case .quarantine:
            return number(of: Self.quarantinePrefix + name, unit: unit).map(Plan.undeclared)
                ?? .refused(.tooManySeries)
        }
    }

    private func number(of name: String, unit: UnitSymbol) -> UInt32? {
        registry.number(ofSeries: name, unit: unit == .none ? nil : unit.text, tenant: tenant)
    }

    private func value(
        of reading: Reading, in declaration: SeriesRules.Declaration, number: UInt32
    ) throws(ReadingFault) -> LoggedValue {
        switch reading.value {
        case .boolean(let value):
            guard declaration.isBoolean else { throw .notNumber }
            return LoggedValue(series: number, exponent: 0, mantissa: value ? 1 : 0)
        case .number(let sent):
            if declaration.isBoolean {
                guard sent == .zero || sent == DecimalNumber(1) else { throw .notBoolean }
                return LoggedValue(series: number, exponent: 0, mantissa: sent.mantissa)
            }
            let value = try convert(sent, from: reading.unit, to: declaration.unit)
            let exponent = declaration.exponent ?? value.exponent
            let mantissa: Int64
            do throws(NumberFault) {
                mantissa = try value.mantissa(at: exponent, rounding: .halfEven)
            } catch {
                throw error == .tooPrecise ? .tooFine : .tooLarge
            }
            if let lower = declaration.lower, value < lower { throw .outOfRange }
            if let upper = declaration.upper, value > upper { throw .outOfRange }
            return LoggedValue(series: number, exponent: exponent, mantissa: mantissa)
        case .text, .data:
            throw declaration.isBoolean ? .notBoolean : .notNumber
        }
    }

    private func convert(
        _ value: DecimalNumber, from sent: UnitSymbol, to declared: UnitSymbol
    ) throws(ReadingFault) -> DecimalNumber {
        if sent == .none || declared == .none || sent == declared { return value }
        guard let conversion = UnitConversion(from: sent), conversion.primary == declared else { throw .wrongUnit }
        do throws(NumberFault) {
            return try conversion.convert(value)
        } catch {
            throw .tooLarge
        }
    }
}
