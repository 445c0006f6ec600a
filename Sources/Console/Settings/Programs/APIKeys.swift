import Access
import Base
import Northbound

/// The pages about API keys.
extension PageTable {
    static func apiKeys(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .apiKeys) { try await .show(APIKeyPages.list($0)) },
            console.settings("/new", .apiKeys, needs: .principalManage) {
                try await .show(APIKeyPages.making($0, $0.query))
            },
            console.settings(posting: "/new", .apiKeys, needs: .principalManage) { try await APIKeyPages.make($0) },
            console.settings("/{key}/end", .apiKeys, needs: .principalManage) {
                try await .show(APIKeyPages.ending($0))
            },
            console.settings(posting: "/{key}/end", .apiKeys, needs: .principalManage) {
                try await APIKeyPages.end($0)
            },
        ]
    }
}

enum APIKeyPages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let size = ConsoleLimits.pageSize
        let isAll = visit.query.text("state") == "all"
        let found = try await visit.console.access.tokenOverview(
            tenant: visit.tenantID, before: visit.query.text("cursor").flatMap { CredentialID(text: $0) },
            isLive: !isAll, limit: size, by: visit.principal)
        let now = visit.console.clock.now
        let isManager = visit.can(.principalManage)
        return SettingsList(
            visit.place, "API keys",
            "A program sends its key with each request. The key is shown once, when it is made; only its hash is kept.",
            heads: ["Name", "Role", "Scopes", "From", "Ends", "Last used", "State"],
            rows: found.map { found in
                let token = found.token
                let isLive = token.isLive(at: now)
                return .init(
                    name: .text(token.name),
                    cells: [
                        .tags(found.roles, else: "none"),
                        .text(
                            token.permissions.map { $0.count == 1 ? "1 permission" : "\($0.count) permissions" }
                                ?? "all of the role"),
                        .tags(token.addresses.map(\.description), else: "anywhere"),
                        .time(token.expires, else: "never"), .time(token.lastUsed, else: "never"),
                        .badge(isLive ? .good("Good") : .off("Ended")),
                    ],
                    rowActs: isManager && isLive
                        ? [.link("End", visit.address(token.id.text, "end"), about: token.name)] : [])
            }, nothing: isAll ? "No API key was ever made." : "No API key counts now.",
            acts: isManager ? [.link("New API key", visit.address("new"), "primary")] : [],
            filters: [
                .init(choice: "In use", leads: visit.address(), isChosen: !isAll),
                .init(choice: "All", leads: visit.address() + "?state=all", isChosen: isAll),
            ],
            next: found.count == size
                ? found.last.map { "\(visit.address())?cursor=\($0.token.id)\(isAll ? "&state=all" : "")" } : nil)
    }

    static func making(_ visit: SettingsVisit, _ form: FormFields) async throws -> SettingsForm {
        SettingsForm(
            visit.place, "New API key",
            effect: "A client with one role, and the key that proves it. Give it no more than the program needs.",
            action: visit.address("new"),
            fields: [
                .text(
                    "name", "Name", form.text("name"), hint: "What it is for.", isRequired: true,
                    longest: AccessLimits.displayNameBytes)
            ] + (try await GrantPages.fields(visit, form)) + [
                .area(
                    "addresses", "Allowed from", form.text("addresses"),
                    hint: "One network address or range on each line, such as 192.0.2.0/24. Empty is anywhere."),
                .boxes(
                    "scopes", "Only for", Permission.boxes(form.permissions("scopes")),
                    hint: "What may be used through this key of what the role allows. Nothing ticked is all of it."),
            ], verb: "Make the key", back: visit.address())
    }

    static func make(_ visit: SettingsVisit) async throws -> Outcome {
        let (form, console) = (visit.form, visit.console)
        return try await making(visit, form).answering {
            let scopes = form.permissions("scopes")
            let made = try await console.access.createToken(
                role: form.text("role") ?? "", at: form.text("domain"), name: form.text("name") ?? "",
                expires: form.endOfDay("until"), permissions: scopes.isEmpty ? nil : scopes,
                addresses: form.ranges("addresses"), reason: visit.reason, tenant: visit.tenantID,
                by: visit.principal)
            let place = "https://\(console.addresses.host):\(console.addresses.people)/api/v1/tenants"
            return .show(
                SecretPage(
                    visit.place, "The key \(made.token.name)",
                    "Copy it now: it is not shown again, and nobody can look it up.", secret: made.secret,
                    label: "API key", until: made.token.expires,
                    told: [
                        "Programs send it in a header: Authorization: Bearer, then the key.",
                        "The API of this organisation begins at \(place)/\(visit.visit.tenant.slug).",
                    ], back: visit.address()))
        }
    }

    private static func find(_ visit: SettingsVisit) async throws -> CredentialInfo {
        guard let id = CredentialID(text: visit.path("key")) else { throw Gatekeeper.notHere }
        return try await visit.console.access.token(id, tenant: visit.tenantID, by: visit.principal).token
    }

    static func ending(_ visit: SettingsVisit) async throws -> SettingsForm {
        let token = try await find(visit)
        return SettingsForm(
            visit.place, "End the key \(token.name)?",
            effect: "Its next use is refused, and streams that it keeps open close. There is no way back.",
            action: visit.address(token.id.text, "end"), fields: [], verb: "End the key", isDangerous: true,
            back: visit.address())
    }

    static func end(_ visit: SettingsVisit) async throws -> Outcome {
        let token = try await find(visit)
        try await visit.console.access.revokeToken(token.id, tenant: visit.tenantID, by: visit.principal)
        return .seeOther(visit.address(), done: .ended)
    }
}
