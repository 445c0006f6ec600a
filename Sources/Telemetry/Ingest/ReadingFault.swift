public import Base

/// Why a well-formed reading was refused by the model's rules; the raw value is the stable code.
public enum ReadingFault: String, Error, Sendable, CaseIterable {
    case undeclared = "series.undeclared"
    case tooManySeries = "series.tooMany"
    case outOfRange = "value.outOfRange"
    case tooFine = "value.tooFine"
    case tooLarge = "value.tooLarge"
    case notBoolean = "value.notBoolean"
    case notNumber = "value.notANumber"
    case text = "value.text"
    case wrongUnit = "unit.mismatch"
    case tooOld = "time.tooOld"
    case tooFarAhead = "time.tooFarAhead"

    /// What happened and what would be right, for the sender.
    public var message: String {
        switch self {
        case .undeclared: "the device's model does not declare this series and refuses others"
        case .tooManySeries: "the tenant has used up its series names"
        case .outOfRange: "the value is outside the range that the model allows"
        case .tooFine: "the value is finer than 64 bits hold at the model's resolution"
        case .tooLarge: "the value does not fit 64 bits at the model's resolution"
        case .notBoolean: "the model declares this series as true or false"
        case .notNumber: "the model declares this series as a number"
        case .text: "text is not kept as telemetry; send it as an attribute"
        case .wrongUnit: "the unit is not the one that the model declares"
        case .tooOld: "the time is further back than the model allows; check the device's clock"
        case .tooFarAhead: "the time is ahead of the server's clock; check the device's clock"
        }
    }

    /// The refusal that tells the sender which series was at fault, and in which line of a body.
    public func refusal(series: String, line: Int? = nil) -> Refusal {
        let place = line.map { "line \($0), \(series)" } ?? series
        return Refusal(
            .invalid, "telemetry.\(rawValue)", "\(place): \(message)",
            faults: [Refusal.Fault(place: place, message: message)])
    }

    /// The refusal of some values only, of these series.
    func refusal(leavingOut series: [String], count: Int) -> Refusal {
        Refusal(
            .invalid, "telemetry.\(rawValue)",
            "\(count) \(count == 1 ? "value was" : "values were") left out, the others are kept: \(message)",
            faults: series.map { Refusal.Fault(place: $0, message: message) })
    }
}
