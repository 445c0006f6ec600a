import Access
import Base
import Northbound

/// The pages about roles.
extension PageTable {
    static func roles(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .roles) { try await .show(RolePages.list($0)) },
            console.settings("/new", .roles, needs: .principalManage) {
                try await .show(RolePages.form($0, nil, $0.query))
            },
            console.settings(posting: "/new", .roles, needs: .principalManage) { try await RolePages.create($0) },
            console.settings("/{role}", .roles) { try await .show(RolePages.record($0)) },
            console.settings("/{role}/edit", .roles, needs: .principalManage) {
                try await .show(RolePages.form($0, RolePages.own($0), nil))
            },
            console.settings(posting: "/{role}/edit", .roles, needs: .principalManage) {
                try await RolePages.change($0)
            },
            console.settings("/{role}/delete", .roles, needs: .principalManage) {
                try await .show(RolePages.deletion($0))
            },
            console.settings(posting: "/{role}/delete", .roles, needs: .principalManage) {
                try await RolePages.delete($0)
            },
        ]
    }
}

enum RolePages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let size = ConsoleLimits.pageSize
        let roles = try await visit.roles()
        let from = visit.query.text("cursor").flatMap { name in roles.firstIndex { $0.name.text == name } }
        let page = roles[(from.map { $0 + 1 } ?? 0)...].prefix(size)
        return SettingsList(
            visit.place, "Roles", "A role is a named set of permissions. Watching and controlling are never one.",
            heads: ["Name", "Is for", "Watches", "Controls"],
            rows: page.map { role in
                let watching = role.permissions.count { $0.isWatching }
                return .init(
                    name: .text(role.name.text, link: visit.address(role.name.text)),
                    cells: [
                        role.isBuiltIn ? .text(role.words) : .tags(["your own"]),
                        .text(watching == 1 ? "1 permission" : "\(watching) permissions"),
                        .text(words(role.permissions.count - watching)),
                    ])
            }, nothing: "There are no roles.",
            acts: visit.can(.principalManage) ? [.link("New role", visit.address("new"), "primary")] : [],
            next: page.count == size && page.last != roles.last
                ? page.last.map { "\(visit.address())?cursor=\($0.name.text.percentEncoded)" } : nil)
    }

    private static func words(_ count: Int) -> String {
        switch count {
        case 0: "nothing"
        case 1: "1 permission"
        default: "\(count) permissions"
        }
    }

    private static func find(_ visit: SettingsVisit) async throws -> Role {
        guard let role = try await visit.roles().first(where: { $0.name.text == visit.path("role") }) else {
            throw Gatekeeper.notHere
        }
        return role
    }

    /// The tenant's own role in the path; the program's can not be changed.
    static func own(_ visit: SettingsVisit) async throws -> Role {
        let role = try await find(visit)
        guard !role.isBuiltIn else { throw Gatekeeper.notHere }
        return role
    }

    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let role = try await find(visit)
        let address = visit.address(role.name.text)
        let canChange = visit.can(.principalManage) && !role.isBuiltIn
        let permissions = PermissionSubject.allCases.compactMap { subject -> SettingsList.Row? in
            let held = subject.permissions.filter {
                role.permissions.contains($0) && (visit.tenantID == .platform || !$0.isPlatformOnly)
            }
            guard !held.isEmpty else { return nil }
            func words(_ permissions: [Permission]) -> SettingsCell {
                .text(permissions.isEmpty ? "–" : permissions.map(\.words).joined(separator: "; "))
            }
            return .init(
                name: .text(subject.rawValue),
                cells: [words(held.filter(\.isWatching)), words(held.filter { !$0.isWatching })])
        }
        return SettingsRecord(
            visit.place, role.name.text, lead: role.isBuiltIn ? "Comes with the program: \(role.words)." : "Your own.",
            acts: canChange
                ? [.link("Change", address + "/edit"), .link("Delete", address + "/delete", "danger")] : [],
            panels: [
                .init(
                    "allows", "What it allows", none: "Nothing.",
                    table: permissions.isEmpty
                        ? nil : .init(columns: ["About", "Watching", "Controlling"], tableRows: permissions)),
                .init("holders", "Who holds it", lines: try await holders(of: role, visit), none: "Nobody."),
            ])
    }

    private static func holders(of role: Role, _ visit: SettingsVisit) async throws -> [SettingsList.Row] {
        let access = visit.console.access
        let all = try await access.grants(tenant: visit.tenantID, by: visit.principal)
        let grants = all.filter { $0.role == role.id }.prefix(ConsoleLimits.pageSize)
        let people = try await ChangePages.names(of: Set(grants.compactMap(\.holder.principal)), visit)
        let groups = try await access.groups(tenant: visit.tenantID, by: visit.principal)
        let places = try await visit.domains()
        return grants.map { grant in
            let name: SettingsCell
            switch grant.holder {
            case .principal(let id):
                name = .text(
                    people[id] ?? "a program", link: people[id] == nil ? nil : visit.address(of: .users, id.text))
            case .group(let id):
                name = .text(
                    groups.first { $0.id == id }?.name ?? "a user group", link: visit.address(of: .groups, id.text))
            }
            return .init(
                name: name,
                cells: [
                    .text(GrantPages.place(grant.domain, grant.device, places)),
                    .time(grant.expires, else: "without an end"),
                ])
        }
    }

    // MARK: - Making and changing

    static func form(_ visit: SettingsVisit, _ role: Role?, _ sent: FormFields?) async throws -> SettingsForm {
        let address = role.map { visit.address($0.name.text) }
        let chosen = sent.map { $0.permissions("permissions") } ?? role?.permissions ?? []
        var fields: [SettingsForm.Field] = []
        if role == nil {
            fields.append(
                .text(
                    "name", "Name", sent?.text("name"), hint: "Letters, digits and . _ : -", isRequired: true,
                    longest: 128))
        }
        return SettingsForm(
            visit.place, role.map { "Change the role \($0.name)" } ?? "New role",
            effect: role == nil
                ? "Nobody puts into a role what they do not hold themselves."
                : "It changes for everybody who holds the role. The next step tells for how many.",
            action: address.map { $0 + "/edit" } ?? visit.address("new"),
            fields: fields + [
                .boxes(
                    "permissions", "It allows", Permission.boxes(chosen, onPlatform: visit.tenantID == .platform)),
                .reason(sent ?? visit.query, isRequired: true),
            ], verb: role == nil ? "Create" : "See what changes", back: address ?? visit.address(),
            crumb: role.flatMap { role in address.map { .init(place: role.name.text, way: $0) } })
    }

    static func create(_ visit: SettingsVisit) async throws -> Outcome {
        try await form(visit, nil, visit.form).answering {
            guard let name = visit.form.text("name").flatMap({ Name($0) }) else {
                throw Refusal(
                    .invalid, "role.invalid",
                    "A name is 1 to 128 letters, digits and ._:- and starts with a letter or digit.",
                    faults: [.init(place: "name", message: "is not such a name")])
            }
            guard try await !visit.roles().contains(where: { $0.name == name }) else {
                throw Refusal(.conflict, "role.exists", "There is a role \(name) already.")
            }
            return try await put(name, visit)
        }
    }

    /// Shows first for whom it changes, then changes it.
    static func change(_ visit: SettingsVisit) async throws -> Outcome {
        let role = try await own(visit)
        return try await form(visit, role, visit.form).answering {
            if visit.form.has("sure") { return try await put(role.name, visit) }
            let permissions = visit.form.permissions("permissions")
            let change = try await visit.console.access.previewRole(
                role.name, permissions: permissions, tenant: visit.tenantID, by: visit.principal)
            let address = visit.address(role.name.text)
            let added = permissions.subtracting(role.permissions).map(\.words).sorted()
            let taken = role.permissions.subtracting(permissions).map(\.words).sorted()
            return .show(
                SettingsForm(
                    visit.place, "Change the role \(role.name)?", effect: change.words, action: address + "/edit",
                    fields: [], verb: "Save", isDangerous: change.losing > 0, back: address + "/edit",
                    crumb: .init(place: role.name.text, way: address),
                    hidden: [("sure", "1"), ("reason", visit.reason ?? "")]
                        + permissions.map { ("permissions", $0.rawValue) },
                    told: added.map { "Added: \($0)." } + taken.map { "Taken away: \($0)." }
                        + change.differences.prefix(10).map { difference in
                            "\(difference.name ?? "Somebody of another organisation") "
                                + (difference.lost.isEmpty
                                    ? "gains." : difference.gained.isEmpty ? "loses." : "gains and loses.")
                        }))
        }
    }

    private static func put(_ name: Name, _ visit: SettingsVisit) async throws -> Outcome {
        let permissions = visit.form.permissions("permissions")
        if visit.tenantID != .platform, permissions.contains(where: \.isPlatformOnly) { throw Gatekeeper.notHere }
        let words = permissions.map(\.rawValue).sorted().map { JSONValue.string($0) }
        return try await visit.change(
            "role.put", ["name": .string(name.text), "permissions": .array(words)], done: .saved,
            to: visit.address(name.text)
        ) {
            _ = try await visit.console.access.putRole(
                name, permissions: permissions, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
        }
    }

    // MARK: - Deleting

    static func deletion(_ visit: SettingsVisit) async throws -> SettingsForm {
        let role = try await own(visit)
        let address = visit.address(role.name.text)
        let all = try await visit.console.access.grants(tenant: visit.tenantID, by: visit.principal)
        let count = all.count { $0.role == role.id }
        return SettingsForm(
            visit.place, "Delete the role \(role.name)?",
            effect: count == 0
                ? "Nobody holds it."
                : "It ends at once for everybody who holds it: \(count == 1 ? "1 grant" : "\(count) grants").",
            action: address + "/delete", fields: [.reason(visit.form, isRequired: true)], verb: "Delete",
            isDangerous: true, back: address, crumb: .init(place: role.name.text, way: address))
    }

    static func delete(_ visit: SettingsVisit) async throws -> Outcome {
        let role = try await own(visit)
        return try await deletion(visit).answering {
            try await visit.change(
                "role.delete", ["role": .string(role.name.text)], done: .deleted, to: visit.address()
            ) {
                try await visit.console.access.deleteRole(
                    role.name.text, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            }
        }
    }
}
