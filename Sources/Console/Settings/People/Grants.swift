import Access
import Base
import Northbound
import SignIn

/// Giving roles to people and user groups, and taking them away.
extension PageTable {
    static func grants(_ console: ConsoleParts) -> [Page] {
        [SettingsSection.users, .groups].flatMap { section in
            [
                console.settings("/{holder}/grant", section, needs: .principalManage) {
                    try await .show(GrantPages.form($0, $0.query))
                },
                console.settings(posting: "/{holder}/grant", section, needs: .principalManage) {
                    try await GrantPages.give($0)
                },
                console.settings("/{holder}/grants/{grant}/end", section, needs: .principalManage) {
                    try await .show(GrantPages.ending($0))
                },
                console.settings(posting: "/{holder}/grants/{grant}/end", section, needs: .principalManage) {
                    try await GrantPages.end($0)
                },
            ]
        }
    }
}

enum GrantPages {
    /// What stands in a form that gives a role.
    static func fields(_ visit: SettingsVisit, _ form: FormFields) async throws -> [SettingsForm.Field] {
        let roles = try await visit.roles()
        let places = try await visit.domains().choices
        return [
            .choice(
                "role", "Role",
                roles.map { ($0.name.text, $0.isBuiltIn ? "\($0.name): \($0.words)" : $0.name.text) },
                chosen: form.text("role") ?? Role.viewer.name.text, hint: "Nobody gives what they do not hold.")
        ]
            + (places.count > 1
                ? [
                    .choice(
                        "domain", "Where", places.map { ($0.path, $0.label) },
                        chosen: form.text("domain") ?? places.first?.path, hint: "There and in everything below.")
                ] : []) + [
                .until(
                    "until", "Until", form,
                    hint: "The last day (\(TypedTime.zone)). Empty is without an end; a guest needs one."),
                .reason(form),
            ]
    }

    /// The lines of grants, each with the way to end it.
    static func rows(_ grants: [Grant], _ visit: SettingsVisit, back: String) async throws -> [SettingsList.Row] {
        let names = Dictionary(try await visit.roles().map { ($0.id, $0.name.text) }, uniquingKeysWith: { $1 })
        let places = try await visit.domains()
        let now = visit.console.clock.now
        return grants.map { grant in
            let role = names[grant.role] ?? grant.role.text
            let hasEnded = grant.expires.map { $0 <= now } ?? false
            return .init(
                name: .text(role, aside: place(grant.domain, grant.device, places)),
                cells: [
                    hasEnded ? .badge(.off("Ended")) : .time(grant.expires, else: "without an end")
                ],
                rowActs: visit.can(.principalManage)
                    ? [.link("End", "\(back)/grants/\(grant.id)/end", about: "the role \(role)")] : [])
        }
    }

    /// Where a role counts, in words.
    static func place(_ domain: DomainID?, _ device: DeviceID?, _ places: DomainNames) -> String {
        if let device { return "at the device \(device.text)" }
        return domain.flatMap { places.label($0) }.map { "at \($0)" } ?? "in a domain that you can not see"
    }

    /// Who shall hold the role: their name and the address of their page.
    private static func holder(
        _ visit: SettingsVisit
    ) async throws -> (name: String, id: String, address: String) {
        let text = visit.path("holder")
        if visit.section == .groups {
            let group = try await visit.console.access.group(text, tenant: visit.tenantID, by: visit.principal)
            return (group.name, group.id.text, visit.address(group.id.text))
        }
        let account = try await visit.console.signIn.account(text, tenant: visit.tenantID, by: visit.principal)
        return (account.name, account.principal.text, visit.address(account.principal.text))
    }

    static func form(_ visit: SettingsVisit, _ form: FormFields) async throws -> SettingsForm {
        let holder = try await holder(visit)
        return SettingsForm(
            visit.place, "Give \(holder.name) a role", action: holder.address + "/grant",
            fields: try await fields(visit, form), verb: "Give the role", back: holder.address,
            crumb: .init(place: holder.name, way: holder.address))
    }

    static func give(_ visit: SettingsVisit) async throws -> Outcome {
        let (form, holder) = (visit.form, try await holder(visit))
        return try await self.form(visit, form).answering {
            var draft = GrantDraft(role: form.text("role") ?? "")
            draft.domain = form.text("domain")
            draft.expires = try form.endOfDay("until")
            var change: [String: JSONValue] = ["role": .string(draft.role)]
            if visit.section == .groups { draft.group = holder.id } else { draft.principal = holder.id }
            change[visit.section == .groups ? "group" : "principal"] = .string(holder.id)
            change["domain"] = draft.domain.map { .string($0) }
            change["expires"] = draft.expires.map { .string($0.rfc3339) }
            let wanted = draft
            return try await visit.change("grant.put", .object(change), done: .saved, to: holder.address) {
                _ = try await visit.console.access.grant(
                    wanted, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            }
        }
    }

    static func ending(_ visit: SettingsVisit) async throws -> SettingsForm {
        let holder = try await holder(visit)
        guard let id = GrantID(text: visit.path("grant")) else { throw Gatekeeper.notHere }
        let access = visit.console.access
        let grants = try await access.grants(
            of: visit.section == .groups ? nil : holder.id, group: visit.section == .groups ? holder.id : nil,
            tenant: visit.tenantID, by: visit.principal)
        guard let grant = grants.first(where: { $0.id == id }) else { throw Gatekeeper.notHere }
        let role = try await visit.roles().first { $0.id == grant.role }?.name.text ?? grant.role.text
        var told: [String] = []
        if visit.can(.reachRead) {
            let change = try await access.previewEnd(of: id, tenant: visit.tenantID, by: visit.principal)
            told = [change.words]
        }
        return SettingsForm(
            visit.place, "End the role \(role) of \(holder.name)",
            effect: "It counts no longer at once, and streams that lived by it close.",
            action: "\(holder.address)/grants/\(id)/end", fields: [.reason(visit.form)], verb: "End the role",
            isDangerous: true, back: holder.address, crumb: .init(place: holder.name, way: holder.address), told: told)
    }

    static func end(_ visit: SettingsVisit) async throws -> Outcome {
        let form = try await ending(visit)
        guard let id = GrantID(text: visit.path("grant")) else { throw Gatekeeper.notHere }
        return try await form.answering {
            try await visit.console.access.endGrant(
                id, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            return .seeOther(form.back, done: .ended)
        }
    }
}

extension ReachChange {
    /// How many it concerns, in a sentence.
    var words: String {
        func people(_ count: Int) -> String { count == 1 ? "1 person or program" : "\(count) persons or programs" }
        if losing == 0, gaining == 0 { return "Nobody gains or loses anything by it: other roles give them the same." }
        return
            [
                losing > 0 ? "\(people(losing)) lose\(losing == 1 ? "s" : "") something" : nil,
                gaining > 0 ? "\(people(gaining)) gain\(gaining == 1 ? "s" : "") something" : nil,
            ].compactMap { $0 }.joined(separator: ", ") + "."
    }
}

extension Role {
    /// What it is for, in a few words; nothing for a tenant's own.
    var words: String {
        switch self {
        case .owner: "everything, and how many eyes a change needs"
        case .admin: "runs the organisation"
        case .operator: "registers, changes and controls devices"
        case .technician: "sees and controls devices"
        case .viewer: "sees devices and telemetry"
        case .analyst: "sees devices, telemetry and who has access"
        case .auditor: "sees who may do what and what was done, no telemetry"
        case .guest: "sees devices and telemetry for a time"
        case .platformAdmin: "runs the deployment"
        default: ""
        }
    }
}
