import Watch

/// What stands around every page.
struct Frame: Sendable {
    /// One entry of the menu.
    struct Entry: Sendable {
        let label: String
        let address: String
        let icon: String
        let isCurrent: Bool
    }

    /// Another tenant that the visitor may go to.
    struct Place: Sendable {
        let label: String
        let address: String
        let isCurrent: Bool
    }

    /// Who is signed in and where they are.
    struct Person: Sendable {
        let name: String
        let initials: String
        /// The token that every form of theirs carries.
        let formToken: String
    }

    /// A line about what was just done.
    struct Notice: Sendable {
        let text: String
        let icon: String
    }

    /// How many alerts wait for somebody, and where they are.
    struct Bell: Sendable {
        let label: String
        let address: String
        /// The number; nil when there is none.
        let count: String?
    }

    var title: String
    /// `light`, `dark` or `auto`.
    var theme = "auto"
    let styles: String
    let script: String
    /// The script of pages on which people prove themselves.
    var provingScript = ""
    let icons: String
    let mark: String
    var entries: [Entry] = []
    var places: [Place] = []
    var hasPlaces = false
    /// The name and home address of the tenant at hand.
    var tenantName: String?
    var tenantAddress: String?
    var isDemo = false
    /// The time zone in which the organisation wants times shown.
    var zone: String?
    var searchAddress: String?
    var bell: Bell?
    var person: Person?
    var notice: Notice?
    /// Where this page's events come from.
    var live: String?
}

extension Frame.Bell {
    /// The bell for so many alerts.
    init(_ count: Int, address: String) {
        let number = count > WatchLimits.bell ? "\(WatchLimits.bell)+" : "\(count)"
        self.init(
            label: count == 0 ? "No alerts" : count == 1 ? "1 alert" : "\(number) alerts", address: address,
            count: count == 0 ? nil : number)
    }
}
