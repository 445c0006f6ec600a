import Access
import Base
import Northbound
import SignIn

/// The pages about everybody's sessions.
extension PageTable {
    static func sessions(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .sessions) { try await .show(SessionPages.list($0)) },
            console.settings(posting: "/{user}/{session}/end", .sessions, needs: .principalManage) {
                try await SessionPages.end($0)
            },
        ]
    }
}

enum SessionPages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let size = ConsoleLimits.pageSize
        let isAll = visit.query.text("state") == "all"
        let found = try await visit.console.signIn.sessions(
            tenant: visit.tenantID, before: visit.query.text("cursor").flatMap { CredentialID(text: $0) },
            isLive: !isAll, limit: size, by: visit.principal)
        let isManager = visit.can(.principalManage)
        return SettingsList(
            visit.place, "Sessions",
            "Who is signed in. To end all sessions of somebody, go to their page; ended ones are kept for "
                + "\(SignInLimits.reviewDays) days.",
            heads: ["Who", "Address", "Program", "Proved by", "Signed in", "Last used", "State"],
            rows: found.map { found in
                let session = found.session
                return .init(
                    name: .text(
                        found.name, link: visit.address(of: .users, session.principal.text), aside: found.address),
                    cells: [
                        .text(session.address ?? "unknown"), .text(Agent.name(session.userAgent)),
                        .tags(session.factors.map(\.words).sorted(), else: "password"), .time(session.opened),
                        .time(session.lastUsed ?? session.opened), .badge(Badge(session)),
                    ],
                    rowActs: isManager && session.isLive && !session.isCurrent
                        ? [
                            .button(
                                "End", visit.address(session.principal.text, session.id.text, "end"), "end",
                                about: "the session of \(found.name)")
                        ] : [])
            }, nothing: isAll ? "Nobody has signed in yet." : "Nobody is signed in.",
            filters: [
                .init(choice: "Signed in", leads: visit.address(), isChosen: !isAll),
                .init(choice: "All", leads: visit.address() + "?state=all", isChosen: isAll),
            ],
            next: found.count == size
                ? found.last.map { "\(visit.address())?cursor=\($0.session.id)\(isAll ? "&state=all" : "")" } : nil)
    }

    static func end(_ visit: SettingsVisit) async throws -> Outcome {
        guard let session = CredentialID(text: visit.path("session")) else { throw Gatekeeper.notHere }
        try await visit.console.signIn.endSessions(
            of: visit.path("user"), session, tenant: visit.tenantID, by: visit.principal)
        return .seeOther(visit.address(), done: .sessionsEnded)
    }
}

extension Badge {
    /// Whether a session counts.
    init(_ session: SessionInfo) {
        self =
            session.isCurrent
            ? .good("This session") : session.isLive ? .good("Signed in") : .off("Ended")
    }
}
