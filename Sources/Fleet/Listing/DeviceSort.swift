/// In which order devices are listed; ties are broken by the identifier, so the order is total.
public enum DeviceSort: String, CaseIterable, Sendable {
    /// By name, `A` first, compared by bytes.
    case name
    /// By name, `z` first.
    case nameDescending = "-name"
    /// The oldest first.
    case created
    /// The newest first.
    case createdDescending = "-created"
    /// Those unseen for the longest first, those never seen before all.
    case lastSeen
    /// Those seen most recently first.
    case lastSeenDescending = "-lastSeen"

    var isDescending: Bool {
        switch self {
        case .nameDescending, .createdDescending, .lastSeenDescending: true
        case .name, .created, .lastSeen: false
        }
    }
}
