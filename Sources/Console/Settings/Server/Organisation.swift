import Access
import Base
import Northbound

/// The pages about the organisation itself.
extension PageTable {
    static func organisation(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .organisation) { try await .show(OrganisationPages.record($0)) },
            console.settings("/edit", .organisation, needs: .tenantManage) {
                try await .show(OrganisationPages.form($0, nil))
            },
            console.settings(posting: "/edit", .organisation, needs: .tenantManage) {
                try await OrganisationPages.change($0)
            },
        ]
    }
}

enum OrganisationPages {
    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let tenant = try await visit.console.access.tenant(visit.tenant.slug, by: visit.principal)
        let plan = visit.console.access.directory.plan(of: tenant.id)?.name.text
        return SettingsRecord(
            visit.place, "Organisation", lead: tenant.name,
            acts: visit.can(.tenantManage) ? [.link("Change", visit.address("edit"), "primary")] : [],
            panels: [
                .init(
                    "organisation", "What it is",
                    facts: [
                        .init("Name", .text(tenant.name)),
                        .init("Short name", .code(tenant.slug.text)),
                        .init("Times are shown in", .text(tenant.timeZone?.text ?? "everybody's own time zone")),
                        .init("Plan", .text(plan ?? "none")), .init("Since", .time(tenant.created)),
                    ])
            ])
    }

    static func form(_ visit: SettingsVisit, _ sent: FormFields?) async throws -> SettingsForm {
        try await visit.authorize(.tenantManage)
        let zones = TimeZoneName.all.map { ($0, $0) }
        return SettingsForm(
            visit.place, "Change the organisation", action: visit.address("edit"),
            fields: [
                .text("name", "Name", sent?.exact("name") ?? visit.tenant.name, isRequired: true),
                .choice(
                    "timeZone", "Time zone",
                    [("", "Everybody's own")].filter { _ in visit.tenant.timeZone == nil } + zones,
                    chosen: sent?.exact("timeZone") ?? visit.tenant.timeZone?.text ?? "",
                    hint: "Pages show times in it. Behind your initials you choose your device's own instead."),
            ], verb: "Save", back: visit.address())
    }

    static func change(_ visit: SettingsVisit) async throws -> Outcome {
        let sent = visit.form
        return try await form(visit, sent).answering {
            _ = try await visit.console.access.changeTenant(
                visit.tenant.slug, name: sent.text("name") ?? "", timeZone: sent.text("timeZone"), by: visit.principal)
            return .seeOther(visit.address(), done: .saved)
        }
    }
}
