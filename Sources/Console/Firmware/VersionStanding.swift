import Operations

/// How a version that a device has stands to the newest release of its component.
enum VersionStanding: Sendable {
    case newest, newer, behind, unknown
    /// No release of the component is published.
    case loose

    init(of version: String, in line: ComponentReleases?) {
        guard let line, let newest = line.newest else {
            self = .loose
            return
        }
        guard let known = line.versions.first(where: { $0.version == version }) else {
            self = .unknown
            return
        }
        self = known.counter == newest.counter ? .newest : known.counter > newest.counter ? .newer : .behind
    }

    /// Whether the newest release is a later one. Of a version that no release has nobody knows.
    var isBehind: Bool { self == .behind }

    /// The hue of its bar.
    var shape: String {
        switch self {
        case .newest, .newer: "ok"
        case .behind: "warning"
        case .unknown, .loose: "off"
        }
    }

    /// What stands beside its bar.
    var note: String? {
        switch self {
        case .newest: "newest release"
        case .newer: "above the newest release"
        case .behind: "behind"
        case .unknown: "no release of that name"
        case .loose: nil
        }
    }

    /// The same of one device.
    func badge(newest: String?) -> Badge? {
        switch self {
        case .newest, .newer: .good("Up to date")
        case .behind: .warning("Behind \(newest ?? "")")
        case .unknown: .off("No release of that name")
        case .loose: nil
        }
    }
}
