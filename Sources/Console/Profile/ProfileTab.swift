/// One of a person's own pages, as the others lead to it.
struct ProfileTab: Sendable {
    let label: String
    let address: String
    let isCurrent: Bool

    /// The pages in their order.
    enum Place: String, CaseIterable {
        case factors, sessions, reach, programs

        var address: String { self == .factors ? "/profile" : "/profile/" + rawValue }

        var label: String {
            switch self {
            case .factors: "Sign-in"
            case .sessions: "Sessions"
            case .reach: "What I may do"
            case .programs: "Programs"
            }
        }
    }

    static func all(at current: Place) -> [ProfileTab] {
        Place.allCases.map {
            ProfileTab(label: $0.label, address: $0.address, isCurrent: $0 == current)
        }
    }
}

/// One of a person's own pages: it belongs to no tenant, and is shown within the visitor's own.
protocol ProfileView: PageView {}
