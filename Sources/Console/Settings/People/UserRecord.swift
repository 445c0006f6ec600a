import Access
import Base
import SignIn

extension UserPages {
    /// One person: their account, roles and sessions.
    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let person = try await visit.console.signIn.person(
            visit.path("user"), tenant: visit.tenantID, by: visit.principal)
        let account = person.account
        let address = visit.address(account.principal.text)
        let isManager = visit.can(.principalManage)
        return SettingsRecord(
            visit.place, account.name, lead: account.address.text, state: Badge(account.status),
            acts: isManager
                ? [.link("Change", address + "/edit")]
                    + UserAct.allCases.filter { $0.suits(account, by: visit.principal) }.map {
                        .link($0.verb, "\(address)/\($0.rawValue)", $0.isDangerous ? "danger" : "")
                    } : [],
            panels: [
                .init("account", "Account", facts: facts(person, visit)),
                .init(
                    "roles", "Roles",
                    explains: "Rights inherit from a domain to everything below it.",
                    lines: try await roles(of: account, visit), none: "No role: they can sign in and see nothing.",
                    acts: isManager ? [.link("Give a role", address + "/grant")] : []),
                .init(
                    "sessions", "Sessions", lines: try await sessions(of: account, visit, address, isManager),
                    none: "Not signed in anywhere."),
            ])
    }

    private static func facts(_ person: AccountOverview, _ visit: SettingsVisit) -> [SettingsRecord.Fact] {
        let account = person.account
        return [
            .init("E-mail address", .text(account.address.text)),
            .init("Factors", .badge(Badge(person.factors))),
            .init(
                "Password",
                .text(
                    account.hasPassword ? "chosen" : "none",
                    aside: account.mustChangePassword ? "a new one is asked for at the next sign-in" : nil)),
            .init("Allowed from", .tags(account.addressRanges.map(\.description), else: "anywhere")),
            .init("Last sign-in", .time(account.lastSignIn, else: "never")),
            .init("Made", .time(account.created)),
            .init("Identifier", .code(account.principal.text)),
        ]
    }

    private static func roles(of account: Account, _ visit: SettingsVisit) async throws -> [SettingsList.Row] {
        let access = visit.console.access
        let grants = try await access.grants(
            of: account.principal.text, tenant: visit.tenantID, by: visit.principal)
        var rows = try await GrantPages.rows(grants, visit, back: visit.address(account.principal.text))
        guard visit.can(.reachRead) || account.principal == visit.principal.id else { return rows }
        let places = try await visit.domains()
        for reach in try await access.reach(of: account.principal.text, tenant: visit.tenantID, by: visit.principal) {
            guard case .group(let group, _) = reach.ground else { continue }
            rows.append(
                .init(
                    name: .text(reach.roleName, aside: GrantPages.place(reach.domain, reach.device, places)),
                    cells: [
                        .text(
                            "by the group \(reach.group ?? "")", link: visit.address(of: .groups, group.text)),
                        .time(reach.until, else: "without an end"),
                    ]))
        }
        return rows
    }

    private static func sessions(
        of account: Account, _ visit: SettingsVisit, _ address: String, _ canEnd: Bool
    ) async throws -> [SettingsList.Row] {
        let all = try await visit.console.signIn.sessions(
            of: account.principal.text, tenant: visit.tenantID, by: visit.principal)
        return all.filter(\.isLive).map { session in
            .init(
                name: .text(
                    Agent.name(session.userAgent), aside: session.isCurrent ? "this session" : session.address),
                cells: [
                    .tags(session.factors.map(\.words).sorted(), else: "password"),
                    .time(session.lastUsed ?? session.opened),
                ],
                rowActs: canEnd && !session.isCurrent
                    ? [
                        .button(
                            "End", "\(address)/sessions/\(session.id)/end", "end",
                            about: "the session from \(session.address ?? "an unknown address")")
                    ] : [])
        }
    }
}

/// A browser by its own description.
enum Agent {
    /// `Firefox on Linux`, as far as the description says so.
    static func name(_ text: String?) -> String {
        guard let text, !text.isEmpty else { return "Unknown program" }
        let programs = [
            ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
        ]
        let systems = [
            ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
            ("Mac OS", "macOS"), ("Linux", "Linux"),
        ]
        guard let program = programs.first(where: { text.contains($0.0) })?.1 else { return String(text.prefix(40)) }
        return systems.first { text.contains($0.0) }.map { "\(program) on \($0.1)" } ?? program
    }
}
