import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// Who has signed in: from where, with what, from when until when, how it ended, and what was done meanwhile.
struct AuditSessionsPage: PageView {
    static let template = "audit-sessions"
    static let menu: MenuItem? = .audit

    struct Row: Sendable {
        let who: String
        let address: String
        let badge: Badge
        let start: Moment
        let end: Moment?
        let duration: String
        let ending: String
        let from: String
        let factors: String
        let agent: String
        let acts: String
    }

    let title = "Sessions"
    let list: String
    let address: String
    let who: String
    let people: [String]
    let rows: [Row]
    let hasRows: Bool
    let isNothingFound: Bool
    let next: String?
    let first: String?
}

extension AuditSessionsPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let selection = AuditSelection(visit.query)
        list = "\(visit.home)/audit"
        let (list, address) = (list, list + "/sessions")
        self.address = address
        let found = try await console.signIn.reviewedSessions(
            of: try await selection.filter(console, visit).actor, tenant: visit.tenant.id, after: selection.cursor,
            limit: ConsoleLimits.pageSize, by: visit.principal)
        rows = found.sessions.map { session in
            let entry = session.entry
            let end = session.end.time
            let factors = entry.details["factors"]?.string ?? ""
            return Row(
                who: entry.actor.words, address: "\(list)/\(entry.index)",
                badge: session.end == .live ? .good("Open") : .off("Ended"), start: Moment(entry.time),
                end: Moment(end), duration: end.map { AuditSpan.words($0 - entry.time) } ?? "",
                ending: session.end.words, from: entry.actor.address ?? "",
                factors: factors.isEmpty ? "password" : factors, agent: entry.details["userAgent"]?.string ?? "",
                acts: list + AuditSelection().with { $0.session = entry.object.id }.query)
        }
        hasRows = !rows.isEmpty
        isNothingFound = rows.isEmpty
        func page(_ cursor: String?) -> String {
            var shown = AuditSelection()
            (shown.who, shown.cursor) = (selection.who, cursor)
            return address + shown.query
        }
        next = found.next.map { page($0) }
        first = selection.cursor == nil ? nil : page(nil)
        who = selection.who ?? ""
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        people =
            held.contains(.principalRead)
            ? try await console.access.principals(
                tenant: visit.tenant.id, limit: ConsoleLimits.offeredNames, by: visit.principal
            ).map(\.name) : []
    }
}

extension SessionEnd {
    /// How it ended, for people.
    var words: String {
        switch self {
        case .live: ""
        case .signedOut: "signed out"
        case .endedBy(let actor, _):
            actor.kind == .system ? "ended with the password or account" : "ended by \(actor.words)"
        case .replaced: "another sign-in took its place"
        case .lapsed: "unused, or at its longest"
        }
    }
}
