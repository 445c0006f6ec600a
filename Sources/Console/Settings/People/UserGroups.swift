import Access
import Base
import Northbound
import SignIn

/// The pages about user groups.
extension PageTable {
    static func userGroups(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .groups) { try await .show(GroupPages.list($0)) },
            console.settings("/new", .groups, needs: .principalManage) { .show(GroupPages.naming($0, nil)) },
            console.settings(posting: "/new", .groups, needs: .principalManage) { try await GroupPages.create($0) },
            console.settings("/{group}", .groups) { try await .show(GroupPages.record($0)) },
            console.settings("/{group}/name", .groups, needs: .principalManage) {
                try await .show(GroupPages.naming($0, GroupPages.group($0)))
            },
            console.settings(posting: "/{group}/name", .groups, needs: .principalManage) {
                try await GroupPages.rename($0)
            },
            console.settings("/{group}/delete", .groups, needs: .principalManage) {
                try await .show(GroupPages.deletion($0))
            },
            console.settings(posting: "/{group}/delete", .groups, needs: .principalManage) {
                try await GroupPages.delete($0)
            },
            console.settings("/{group}/add", .groups, needs: .principalManage) {
                try await .show(GroupPages.joining($0))
            },
            console.settings(posting: "/{group}/add", .groups, needs: .principalManage) {
                try await GroupPages.add($0)
            },
            console.settings("/{group}/members/{user}/remove", .groups, needs: .principalManage) {
                try await .show(GroupPages.leaving($0))
            },
            console.settings(posting: "/{group}/members/{user}/remove", .groups, needs: .principalManage) {
                try await GroupPages.remove($0)
            },
        ]
    }
}

enum GroupPages {
    static func group(_ visit: SettingsVisit) async throws -> UserGroup {
        try await visit.console.access.group(visit.path("group"), tenant: visit.tenantID, by: visit.principal)
    }

    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let size = ConsoleLimits.pageSize
        let all = try await visit.console.access.groups(tenant: visit.tenantID, by: visit.principal)
        let after = visit.query.text("cursor") ?? ""
        let page = all.filter { $0.name > after }.prefix(size)
        return SettingsList(
            visit.place, "User groups", "Users who hold roles together.", heads: ["Name", "Users", "Made"],
            rows: page.map { group in
                .init(
                    name: .text(group.name, link: visit.address(group.id.text)),
                    cells: [
                        .text(group.members == 1 ? "1 user" : "\(group.members.grouped) users"), .time(group.created),
                    ])
            }, nothing: "No user group yet. Give one a role, and everybody in it holds that role.",
            acts: visit.can(.principalManage) ? [.link("New user group", visit.address("new"), "primary")] : [],
            next: page.count == size && page.last?.name != all.last?.name
                ? page.last.map { "\(visit.address())?cursor=\($0.name.percentEncoded)" } : nil)
    }

    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let access = visit.console.access
        let group = try await group(visit)
        let address = visit.address(group.id.text)
        let isManager = visit.can(.principalManage)
        let members = try await access.members(of: group.id.text, tenant: visit.tenantID, by: visit.principal)
        let grants = try await access.grants(
            group: group.id.text, tenant: visit.tenantID, by: visit.principal)
        return SettingsRecord(
            visit.place, group.name, lead: group.members == 1 ? "1 user" : "\(group.members.grouped) users",
            acts: isManager
                ? [.link("Rename", address + "/name"), .link("Delete", address + "/delete", "danger")] : [],
            panels: [
                .init(
                    "roles", "Roles", lines: try await GrantPages.rows(grants, visit, back: address),
                    none: "No role yet: being in this group gives nothing.",
                    acts: isManager ? [.link("Give a role", address + "/grant")] : []),
                .init(
                    "members", "Users",
                    explains: members.count > ConsoleLimits.shownMembers
                        ? "The first \(ConsoleLimits.shownMembers) by name; the API lists them all." : nil,
                    lines: members.prefix(ConsoleLimits.shownMembers).map { member in
                        .init(
                            name: .text(member.name, link: visit.address(of: .users, member.id.text)),
                            cells: member.isActive ? [] : [.badge(.critical("Disabled"))],
                            rowActs: isManager
                                ? [
                                    .link(
                                        "Remove", "\(address)/members/\(member.id)/remove",
                                        about: "\(member.name) from the group")
                                ] : [])
                    }, none: "Nobody is in this group.",
                    acts: isManager ? [.link("Add a user", address + "/add")] : []),
            ])
    }

    // MARK: - The group itself

    static func naming(_ visit: SettingsVisit, _ group: UserGroup?) -> SettingsForm {
        let name = visit.form.has("name") ? visit.form.exact("name") : group?.name
        let address = group.map { visit.address($0.id.text) }
        return SettingsForm(
            visit.place, group.map { "Rename \($0.name)" } ?? "New user group",
            action: address.map { $0 + "/name" } ?? visit.address("new"),
            fields: [
                .text("name", "Name", name, hint: "Letters, digits and . _ : -", isRequired: true, longest: 128)
            ], verb: group == nil ? "Create" : "Rename", back: address ?? visit.address(),
            crumb: group.flatMap { group in address.map { .init(place: group.name, way: $0) } })
    }

    private static func name(_ visit: SettingsVisit) throws -> Name {
        guard let name = visit.form.text("name").flatMap({ Name($0) }) else {
            throw Refusal(
                .invalid, "group.invalid",
                "A name is 1 to 128 letters, digits and ._:- and starts with a letter or digit.",
                faults: [.init(place: "name", message: "is not such a name")])
        }
        return name
    }

    static func create(_ visit: SettingsVisit) async throws -> Outcome {
        try await naming(visit, nil).answering {
            let group = try await visit.console.access.createGroup(
                name(visit), tenant: visit.tenantID, by: visit.principal)
            return .seeOther(visit.address(group.id.text), done: .created)
        }
    }

    static func rename(_ visit: SettingsVisit) async throws -> Outcome {
        let group = try await group(visit)
        return try await naming(visit, group).answering {
            _ = try await visit.console.access.renameGroup(
                group.id.text, to: name(visit), tenant: visit.tenantID, by: visit.principal)
            return .seeOther(visit.address(group.id.text), done: .changed)
        }
    }

    static func deletion(_ visit: SettingsVisit) async throws -> SettingsForm {
        let group = try await group(visit)
        let address = visit.address(group.id.text)
        return SettingsForm(
            visit.place, "Delete \(group.name)?",
            effect: "Its roles end at once for \(group.members == 1 ? "1 user" : "\(group.members.grouped) users"). "
                + "The users themselves stay.", action: address + "/delete", fields: [.reason(visit.form)],
            verb: "Delete", isDangerous: true, back: address, crumb: .init(place: group.name, way: address))
    }

    static func delete(_ visit: SettingsVisit) async throws -> Outcome {
        try await deletion(visit).answering {
            try await visit.console.access.deleteGroup(
                visit.path("group"), reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            return .seeOther(visit.address(), done: .deleted)
        }
    }

    // MARK: - Its users

    static func joining(_ visit: SettingsVisit) async throws -> SettingsForm {
        let group = try await group(visit)
        let address = visit.address(group.id.text)
        return SettingsForm(
            visit.place, "Add a user to \(group.name)",
            effect: "They hold the group's roles from then on. Nobody gives by it what they do not hold themselves.",
            action: address + "/add",
            fields: [
                .text(
                    "user", "User", visit.form.text("user"), hint: "The e-mail address.", isRequired: true,
                    longest: 254), .reason(visit.form),
            ], verb: "Add", back: address, crumb: .init(place: group.name, way: address))
    }

    static func add(_ visit: SettingsVisit) async throws -> Outcome {
        let group = try await group(visit)
        return try await joining(visit).answering {
            let user = try await user(visit.form.text("user") ?? "", visit)
            let change: JSONValue = ["group": .string(group.id.text), "principal": .string(user.text)]
            return try await visit.change(
                "member.put", change, done: .saved, to: visit.address(group.id.text)
            ) {
                try await visit.console.access.addMember(
                    user.text, to: group.id.text, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            }
        }
    }

    private static func user(_ text: String, _ visit: SettingsVisit) async throws -> PrincipalID {
        do {
            return try await visit.console.signIn.account(text, tenant: visit.tenantID, by: visit.principal).principal
        } catch let refusal as Refusal where refusal.kind == .notFound {
            throw Refusal(
                .invalid, "user.unknown", "Nobody here has this address.",
                faults: [.init(place: "user", message: "is nobody's address here")])
        }
    }

    static func leaving(_ visit: SettingsVisit) async throws -> SettingsForm {
        let group = try await group(visit)
        let members = try await visit.console.access.members(
            of: group.id.text, tenant: visit.tenantID, by: visit.principal)
        guard let member = members.first(where: { $0.id.text == visit.path("user") }) else { throw Gatekeeper.notHere }
        let address = visit.address(group.id.text)
        let change = try await visit.console.access.previewMember(
            member.id.text, of: group.id.text, joins: false, tenant: visit.tenantID, by: visit.principal)
        return SettingsForm(
            visit.place, "Remove \(member.name) from \(group.name)?",
            effect: "They hold the group's roles no longer, at once.",
            action: "\(address)/members/\(member.id)/remove", fields: [.reason(visit.form)], verb: "Remove",
            isDangerous: true, back: address, crumb: .init(place: group.name, way: address), told: [change.words])
    }

    static func remove(_ visit: SettingsVisit) async throws -> Outcome {
        let form = try await leaving(visit)
        return try await form.answering {
            try await visit.console.access.removeMember(
                visit.path("user"), from: visit.path("group"), reason: visit.reason, tenant: visit.tenantID,
                by: visit.principal)
            return .seeOther(form.back, done: .removed)
        }
    }
}
