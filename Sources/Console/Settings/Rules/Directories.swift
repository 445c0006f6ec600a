import Access
import Base
import Northbound
import SignIn

/// The pages about directories: where people are known already, and sign in with what they have there.
extension PageTable {
    static func directories(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .directories) { try await .show(DirectoryPages.list($0)) },
            console.settings("/new/{kind}", .directories) {
                try await $0.requireRecent(.signInPolicy)
                return try await .show(DirectoryForm.making($0, nil))
            },
            console.settings(posting: "/new/{kind}", .directories, needs: .principalManage) {
                try await DirectoryForm.make($0)
            },
            console.settings("/{directory}", .directories) { try await .show(DirectoryPages.record($0)) },
            console.settings("/{directory}/people", .directories) { try await .show(DirectoryPages.people($0)) },
            console.settings("/{directory}/edit", .directories) {
                try await $0.requireRecent(.signInPolicy)
                return try await .show(DirectoryForm.changing($0, nil))
            },
            console.settings(posting: "/{directory}/edit", .directories, needs: .principalManage) {
                try await DirectoryForm.change($0)
            },
            console.settings("/{directory}/test", .directories) { try await .show(DirectoryPages.testing($0)) },
            console.settings(posting: "/{directory}/test", .directories, needs: .principalManage) {
                try await DirectoryPages.test($0)
            },
            console.settings("/{directory}/switch", .directories) {
                try await $0.requireRecent(.signInPolicy)
                return try await .show(DirectoryPages.switching($0))
            },
            console.settings(posting: "/{directory}/switch", .directories, needs: .principalManage) {
                try await DirectoryPages.switchOver($0)
            },
            console.settings("/{directory}/remove", .directories) {
                try await $0.requireRecent(.signInPolicy)
                return try await .show(DirectoryPages.removal($0))
            },
            console.settings(posting: "/{directory}/remove", .directories, needs: .principalManage) {
                try await DirectoryPages.remove($0)
            },
        ]
    }
}

enum DirectoryPages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let all = try await visit.console.directories.directories(of: visit.tenantID, by: visit.principal)
        return SettingsList(
            visit.place, "Directories",
            "Where people are known already: they sign in with what they have there, and their groups there give roles here.",
            heads: ["Name", "Kind", "Where", "Groups with a role", "State"],
            rows: all.map { directory in
                .init(
                    name: .text(directory.name.text, link: visit.address(directory.id.text)),
                    cells: [
                        .text(directory.kindWords), .text(directory.place),
                        .text("\(directory.groups.count)", link: visit.address(directory.id.text) + "#groups"),
                        .badge(Badge(directory)),
                    ])
            }, nothing: "No directory yet: everybody signs in with an account of this server.",
            acts: [
                .link("New OpenID provider", visit.address("new", "openid")),
                .link("New LDAP server", visit.address("new", "ldap")),
            ])
    }

    static func find(_ visit: SettingsVisit) async throws -> Directory {
        let all = try await visit.console.directories.directories(of: visit.tenantID, by: visit.principal)
        guard let found = all.first(where: { $0.id.text == visit.path("directory") }) else { throw Gatekeeper.notHere }
        return found
    }

    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let directory = try await find(visit)
        let counts = try await visit.console.directories.counts(of: directory, by: visit.principal)
        let address = visit.address(directory.id.text)
        let roles = Dictionary(try await visit.roles().map { ($0.id.text, $0.name.text) }, uniquingKeysWith: { $1 })
        let places = Dictionary(
            try await visit.domains().choices.map { ($0.id.text, $0.label) }, uniquingKeysWith: { $1 })
        return SettingsRecord(
            visit.place, directory.name.text, lead: directory.kindWords, state: Badge(directory),
            acts: [
                .link("Test", address + "/test", "primary"), .link("Change", address + "/edit"),
                .link(directory.isEnabled ? "Switch off" : "Switch on", address + "/switch"),
                .link("Remove", address + "/remove", "danger"),
            ],
            panels: [
                .init("settings", "Settings", facts: settings(directory, visit)),
                .init(
                    "people", "Who comes in by it",
                    facts: [
                        .init(
                            "Somebody new",
                            .text(
                                directory.createsAccounts
                                    ? "gets an account when a group of theirs has a role" : "is turned away")),
                        .init(
                            "Who has an account with the same address",
                            .text(
                                directory.linksAddresses
                                    ? "is taken for its holder" : "is not taken for its holder")),
                        .init("Known by it", .text(counts.people.grouped, link: address + "/people")),
                        .init("Roles from its groups now", .text(counts.roles.grouped, link: address + "/people")),
                    ]),
                .init(
                    "groups", "What its groups are worth",
                    explains: "At each sign-in the roles from here become exactly what the groups are worth then.",
                    none: "No group has a role: nobody new gets in by it.",
                    table: directory.groups.isEmpty
                        ? nil
                        : .init(
                            columns: ["Group there", "Role here", "Where"],
                            tableRows: directory.groups.map { rule in
                                let role = roles[rule.role] ?? rule.role
                                return .init(
                                    name: .code(rule.group),
                                    cells: [
                                        .text(role, link: visit.address(of: .roles, role)),
                                        .text(rule.domain.map { places[$0] ?? $0 } ?? "everywhere"),
                                    ])
                            })),
            ])
    }

    private static func settings(_ directory: Directory, _ visit: SettingsVisit) -> [SettingsRecord.Fact] {
        var facts = DirectoryForm.members(of: directory.means).compactMap { member -> SettingsRecord.Fact? in
            guard let value = member.value, !value.isEmpty else { return nil }
            return .init(member.label, member.isLong ? .code(value) : .text(value))
        }
        if case .openID = directory.means {
            facts.append(
                .init(
                    "Redirect address to enter there",
                    .code(visit.console.directories.returnAddress(of: visit.tenantID))))
        }
        return facts + [.init("Secret", .text("sealed, never shown"))]
    }

    static func people(_ visit: SettingsVisit) async throws -> SettingsList {
        let directory = try await find(visit)
        let size = ConsoleLimits.pageSize
        let after = visit.query.text("cursor").flatMap { PrincipalID(text: $0) }
        let found = try await visit.console.directories.people(
            of: directory, after: after, limit: size, by: visit.principal)
        let names = try await ChangePages.names(of: Set(found.map(\.principal)), visit)
        let address = visit.address(directory.id.text)
        return SettingsList(
            visit.place, "People of \(directory.name)", "Whom it has vouched for, with an account here.",
            heads: ["Name", "Known since"],
            rows: found.map {
                .init(
                    name: names[$0.principal].map { [id = $0.principal] name in
                        .text(name, link: visit.address(of: .users, id.text))
                    } ?? .text("An account that is gone"), cells: [.time($0.since)])
            }, nothing: "Nobody has come in by it yet.", acts: [.link("To the directory", address)],
            next: found.count == size ? found.last.map { "\(address)/people?cursor=\($0.principal)" } : nil)
    }

    // MARK: - Testing

    static func testing(_ visit: SettingsVisit) async throws -> SettingsForm {
        let directory = try await find(visit)
        let address = visit.address(directory.id.text)
        var fields: [SettingsForm.Field] = []
        var effect = "The provider is asked whether it answers, is who it should be, and knows this server."
        if case .ldap = directory.means {
            effect = "The server is asked whether it answers and lets the searcher in. Nobody is signed in."
            fields = [
                .text(
                    "user", "User name", visit.form.text("user"),
                    hint: "Somebody to look for, with their groups; as they would type it. May stay empty.")
            ]
        }
        return SettingsForm(
            visit.place, "Test \(directory.name)", effect: effect, action: address + "/test", fields: fields,
            verb: "Test", back: address, crumb: .init(place: directory.name.text, way: address))
    }

    static func test(_ visit: SettingsVisit) async throws -> Outcome {
        let directory = try await find(visit)
        let address = visit.address(directory.id.text)
        return try await testing(visit).answering {
            let test = try await visit.console.directories.test(
                directory.name, user: visit.form.text("user"), tenant: visit.tenantID, by: visit.principal)
            let rules = Dictionary(grouping: directory.groups, by: \.group)
            return .show(
                SettingsRecord(
                    visit.place, "Test of \(directory.name)",
                    lead: test.works
                        ? "It does what can be tested without anybody signing in." : "It does not work yet.",
                    state: test.works ? .good("Works") : .critical("Failed"),
                    acts: [.link("Again", address + "/test"), .link("To the directory", address, "primary")],
                    panels: [
                        .init("found", "What was found", lines: test.findings.map { .init(name: .text($0), cells: []) })
                    ]
                        + (test.groups.isEmpty
                            ? []
                            : [
                                .init(
                                    "groups", "Their groups",
                                    explains: "Written as a rule must name them.",
                                    lines: test.groups.prefix(ConsoleLimits.offeredNames).map { group in
                                        .init(
                                            name: .code(group),
                                            cells: [
                                                .text(
                                                    rules[group].map {
                                                        "gives \($0.map(\.role).joined(separator: ", "))"
                                                    }
                                                        ?? "gives nothing")
                                            ])
                                    })
                            ])))
        }
    }

    // MARK: - Switching and removing

    static func switching(_ visit: SettingsVisit) async throws -> SettingsForm {
        let directory = try await find(visit)
        let address = visit.address(directory.id.text)
        return SettingsForm(
            visit.place, directory.isEnabled ? "Switch \(directory.name) off?" : "Switch \(directory.name) on?",
            effect: directory.isEnabled
                ? "Nobody signs in by it any more. Sessions go on to their end, and the roles from it wait."
                : "People sign in by it again.",
            action: address + "/switch", fields: [.reason(visit.form)],
            verb: directory.isEnabled ? "Switch off" : "Switch on", isDangerous: directory.isEnabled, back: address,
            crumb: .init(place: directory.name.text, way: address),
            hidden: [("to", directory.isEnabled ? "off" : "on")])
    }

    static func switchOver(_ visit: SettingsVisit) async throws -> Outcome {
        let directory = try await find(visit)
        return try await switching(visit).answering {
            var draft = DirectoryDraft(directory)
            draft.isEnabled = visit.form.exact("to") == "on"
            return try await DirectoryForm.put(directory.name, draft, visit)
        }
    }

    static func removal(_ visit: SettingsVisit) async throws -> SettingsForm {
        let directory = try await find(visit)
        let counts = try await visit.console.directories.counts(of: directory, by: visit.principal)
        let address = visit.address(directory.id.text)
        return SettingsForm(
            visit.place, "Remove \(directory.name)?",
            effect:
                "Nobody signs in by it any more, and the roles that its groups gave end at once. The accounts stay.",
            action: address + "/remove", fields: [.reason(visit.form)], verb: "Remove", isDangerous: true,
            back: address, crumb: .init(place: directory.name.text, way: address),
            told: ["\(counts.people) known by it, \(counts.roles) roles end."])
    }

    static func remove(_ visit: SettingsVisit) async throws -> Outcome {
        let directory = try await find(visit)
        return try await removal(visit).answering {
            try await visit.console.directories.remove(
                directory.name, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            return .seeOther(visit.address(), done: .removed)
        }
    }
}

extension Directory {
    /// What people call one of its kind.
    var kindWords: String {
        switch means {
        case .openID: "OpenID provider"
        case .ldap: "LDAP server"
        }
    }

    /// Where it is.
    var place: String {
        switch means {
        case .openID(let settings): settings.issuer
        case .ldap(let settings): settings.server
        }
    }
}

extension DirectoryDraft {
    /// The directory as it is; its secret stays.
    init(_ directory: Directory) {
        self.init(directory.means)
        isEnabled = directory.isEnabled
        createsAccounts = directory.createsAccounts
        linksAddresses = directory.linksAddresses
        groups = directory.groups
    }
}

extension Badge {
    /// Whether somebody can sign in by a directory.
    init(_ directory: Directory) { self = directory.isEnabled ? .good("In use") : .off("Switched off") }
}
