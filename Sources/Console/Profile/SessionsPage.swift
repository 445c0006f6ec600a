import Access
import Base
import Northbound
import SignIn

/// A person's own open sessions.
struct SessionsPage: ProfileView {
    static let template = "profile-sessions"

    struct Session: Sendable {
        let id: String
        let browser: String
        let address: String
        let factors: String
        let opened: Moment
        let used: Moment?
        let isCurrent: Bool
    }

    let title = "Your sessions"
    let tabs = ProfileTab.all(at: .sessions)
    let sessions: [Session]
    let hasOthers: Bool
}

extension SessionsPage {
    init(_ console: ConsoleParts, _ visit: SignedVisit) async throws {
        let principal = visit.principal
        let all = try await console.signIn.sessions(
            of: principal.id.text, tenant: principal.tenant, by: principal)
        // Those that count are few: an account has a bounded number of them.
        let live = all.filter(\.isLive).sorted {
            ($0.isCurrent ? 1 : 0, $0.lastUsed ?? $0.opened) > (
                $1.isCurrent ? 1 : 0, $1.lastUsed ?? $1.opened
            )
        }
        sessions = live.map { info in
            Session(
                id: info.id.text, browser: Self.browser(info.userAgent),
                address: info.address ?? "unknown address",
                factors: info.factors.isEmpty
                    ? "password"
                    : info.factors.map { $0.title.lowercased() }.sorted().joined(separator: ", "),
                opened: Moment(info.opened), used: Moment(info.lastUsed), isCurrent: info.isCurrent)
        }
        hasOthers = live.contains { !$0.isCurrent }
    }

    /// A browser's own description in a few words; as it came when it is none that is known.
    static func browser(_ agent: String?) -> String {
        guard let agent, !agent.isEmpty else { return "Unknown browser" }
        // The later ones call themselves the earlier ones, too.
        let names = [
            ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ]
        let systems = [
            ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
        ]
        guard let name = names.first(where: { agent.contains($0.0) })?.1 else {
            return String(agent.prefix(60))
        }
        return systems.first { agent.contains($0.0) }.map { "\(name) on \($0.1)" } ?? name
    }
}
