/// A class of readings that not everybody may see who reads telemetry; a model says which of its series belong to one.
public enum DataClass: String, CaseIterable, Sendable, Codable {
    /// About people: what they use, when they are at home.
    case personal
    /// Where things are.
    case location

    /// What it takes to read it, beside ``Permission/telemetryRead``.
    public var permission: Permission {
        switch self {
        case .personal: .telemetryReadPersonal
        case .location: .telemetryReadLocation
        }
    }
}
