import Access
import Base
import Northbound
import Storage

/// Every page of the console. A page is added by its view, its template and a line here; `docs/architecture.md` says how.
package struct PageTable: Sendable {
    /// The pages.
    package let pages: [Page]

    /// All pages of a console with these parts.
    init(_ console: ConsoleParts, _ sessions: Sessions, _ assets: Assets) {
        let streams = EventStreams(console)
        pages =
            Self.entrance(console, sessions) + Self.directoryEntrance(console) + Self.stepUp(console)
            + Self.profile(console)
            + Self.live(console, sessions, streams)
            + Self.overview(console)
            + Self.demo(console) + Self.consent(console)
            + Self.devices(console) + Self.configuration(console) + Self.tasks(console)
            + Self.firmware(console, assets) + Self.campaigns(console) + Self.alerts(console)
            + Self.telemetry(console, ChartLibrary(assets))
            + Self.sites(console, assets) + Self.map(console, assets) + Self.audit(console)
            + Self.reports(console) + Self.settings(console)
    }

    /// A table of just these pages.
    package init(_ pages: [Page]) { self.pages = pages }

    /// The page at a path, with the path's parameters.
    enum Match {
        case page(Page, [String: String])
        /// The address is known, but not for this method.
        case otherMethod(allowed: String)
        case none
    }

    func match(_ method: Page.Method?, _ path: String) -> Match {
        let steps = path.split(separator: "/")
        var allowed: Set<String> = []
        var found: (page: Page, parameters: [String: String])?
        for page in pages {
            guard let parameters = page.match(steps) else { continue }
            allowed.insert(page.method.rawValue)
            // A fixed step counts before a parameter.
            if page.method == method, found.map({ parameters.count < $0.parameters.count }) ?? true {
                found = (page, parameters)
            }
        }
        if let found { return .page(found.page, found.parameters) }
        return allowed.isEmpty ? .none : .otherMethod(allowed: allowed.sorted().joined(separator: ", "))
    }
}
