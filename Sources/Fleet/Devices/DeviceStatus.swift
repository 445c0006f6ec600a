/// Where a device stands between being registered and being let in.
///
/// ```
/// registered ──enrol──▶ active ◀──resume── suspended
///      │                  └──────suspend──────▲  │
///      └──suspend─────────────────────────────┘  │
///            any of them ──revoke──▶ revoked ◀───┘
/// ```
public enum DeviceStatus: String, CaseIterable, Sendable {
    /// Known, but without a credential yet.
    case registered
    /// Holds a credential and is let in.
    case active
    /// Kept out until somebody resumes it; its credentials wait.
    case suspended
    /// Kept out for good: its credentials are ended. Only a replacement brings the place back.
    case revoked

    /// The number under which the database keeps it.
    var code: Int64 {
        switch self {
        case .registered: 0
        case .active: 1
        case .suspended: 2
        case .revoked: 3
        }
    }

    init?(code: Int64) {
        switch code {
        case 0: self = .registered
        case 1: self = .active
        case 2: self = .suspended
        case 3: self = .revoked
        default: return nil
        }
    }
}
