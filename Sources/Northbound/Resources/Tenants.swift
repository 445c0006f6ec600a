import Access
import Base
import HTTPTypes

/// Tenants and plans: the platform's own business.
extension RouteTable {
    static func tenants(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let one = "/api/v1/tenants/{tenant}"
        return [
            Route(
                .get, "/api/v1/tenants", "listTenants", "Lists the tenants by slug.", needs: .platformManage,
                query: Parameter.paging, success: .page(.tenant)
            ) { call in
                let after = try call.cursor(.tenants) ?? ""
                let found = try await access.tenants(after: after, limit: call.limit, by: call.principal)
                let next = found.count == call.limit ? found.last.map { Cursor.tenants.text($0.slug.text) } : nil
                return .page(found.map { $0.json(services) }, next: next)
            },
            Route(
                .post, "/api/v1/tenants", "createTenant", "Makes a tenant with its root domain, key and issuing CA.",
                needs: .platformManage,
                body: .json(
                    .named(
                        "TenantDraft",
                        .object([
                            .required("slug", .text(.slug), "The short name in addresses and certificates, for ever."),
                            .optional(
                                "name", .text(.free(atMost: AccessLimits.displayNameBytes)), "The name for people."),
                            .optional("plan", .name, "The plan; the standard one when left out."),
                            .optional("demo", .boolean, "Whether it is a removable demonstration."), .timeZone,
                        ]))), success: .created(.tenant)
            ) { call in
                let tenant = try await access.createTenant(
                    call.body.slug("slug"), name: call.body.textIfAny("name"), plan: call.body.nameIfAny("plan"),
                    demo: call.body.boolIfAny("demo") ?? false, timeZone: call.body.textIfAny("timeZone"),
                    by: call.principal)
                return .created(tenant.json(services), at: "/api/v1/tenants/\(tenant.slug)")
            },
            Route(.get, one, "showTenant", "Shows a tenant.", needs: .tenantRead, success: .json(.tenant)) { call in
                .ok(try await access.tenant(call.tenant.slug, by: call.principal).json(services))
            },
            Route(
                .patch, one, "updateTenant", "Changes a tenant's name for people, or its time zone.",
                needs: .tenantManage,
                body: .json(
                    .named(
                        "TenantChange",
                        .object([
                            .optional(
                                "name", .text(.free(atMost: AccessLimits.displayNameBytes)), "The name for people."),
                            .timeZone,
                        ]))), success: .json(.tenant)
            ) { call in
                .ok(
                    try await access.changeTenant(
                        call.tenant.slug, name: call.body.textIfAny("name"), timeZone: call.body.textIfAny("timeZone"),
                        by: call.principal
                    ).json(services))
            },
            Route(
                .put, one + "/plan", "setTenantPlan", "Gives a tenant another plan.", needs: .planManage,
                body: .json(.named("PlanChoice", .object([.required("plan", .name, "The plan.")]))),
                success: .json(.tenant)
            ) { call in
                .ok(
                    try await access.changeTenant(call.tenant.slug, plan: call.body.name("plan"), by: call.principal)
                        .json(services))
            },
            Route(
                .post, one + "/suspend", "suspendTenant",
                "Refuses a tenant's devices and principals until it is resumed.",
                needs: .platformManage, success: .json(.tenant)
            ) { call in
                .ok(try await access.suspendTenant(call.tenant.slug, by: call.principal).json(services))
            },
            Route(
                .post, one + "/resume", "resumeTenant", "Lets a suspended tenant work again.", needs: .platformManage,
                success: .json(.tenant)
            ) { call in
                .ok(try await access.resumeTenant(call.tenant.slug, by: call.principal).json(services))
            },
            Route(
                .delete, one, "deleteTenant", "Destroys a tenant's keys and removes what it has; there is no way back.",
                needs: .platformManage, success: .nothing
            ) { call in
                try await access.deleteTenant(call.tenant.slug, by: call.principal)
                return .done
            },
        ]
    }

    static func plans(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        return [
            Route(
                .get, "/api/v1/plans", "listPlans", "Lists the plans by name.", needs: .planManage,
                query: Parameter.paging, success: .page(.plan)
            ) { call in
                let plans = try await access.plans(by: call.principal)
                return try call.page(plans.map { ($0.name.text, $0.json) }, .plans)
            },
            Route(
                .put, "/api/v1/plans/{plan}", "putPlan", "Makes a plan, or changes the figures given of one.",
                needs: .planManage, body: .json(.planFigures), success: .json(.plan)
            ) { call in
                let name = try call.path.name("plan")
                let old = try await access.plans(by: call.principal).first { $0.name == name }
                var plan = old ?? Plan(id: Plan.standardID, name: name)
                for figure in Plan.figures {
                    guard let value = call.body.integerIfAny(figure.name.camelCased) else { continue }
                    plan[keyPath: figure.value] = value
                }
                return .ok(try await access.putPlan(plan, by: call.principal).json)
            },
        ]
    }
}

extension Shape.Member {
    fileprivate static let timeZone = Shape.Member.optional(
        "timeZone", .text, "The time zone in which its times are shown, such as Europe/Berlin.")
}

extension Shape {
    static let tenant = Shape.named(
        "Tenant",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("slug", .text(.slug), "The short name in addresses and certificates."),
            .required("name", .text, "The name for people."),
            .required("status", .choice(["active", "suspended", "deleting"]), "Whether it works."),
            .required("plan", .nullable(.name), "Its plan."),
            .required("rootDomain", .identifier, "The root of its domains."),
            .required("created", .time, "When it was made."),
            .required("demo", .boolean, "Whether it is a removable demonstration."),
            .required("timeZone", .nullable(.text), "The time zone in which its times are shown, when one was chosen."),
        ]))

    static let planFigures = Shape.named(
        "PlanFigures",
        .object(
            Plan.figures.map { .optional($0.name.camelCased, .integer(1...Int64(Int32.max)), $0.name.asWords) }))

    static let plan = Shape.named(
        "Plan",
        .object(
            [.required("id", .identifier, "The identifier."), .required("name", .name, "The name.")]
                + Plan.figures.map { .required($0.name.camelCased, .integer(1...Int64.max), $0.name.asWords) }))
}

extension Tenant {
    fileprivate func json(_ services: NorthboundServices) -> JSONValue {
        [
            "id": .string(id.text), "slug": .string(slug.text), "name": .string(name),
            "status": .string(status.rawValue),
            "plan": services.access.directory.plan(of: id).map { .string($0.name.text) } ?? .null,
            "rootDomain": .string(rootDomain.text), "created": .string(created.rfc3339), "demo": .bool(demo),
            "timeZone": timeZone.map { .string($0.text) } ?? .null,
        ]
    }
}

extension Plan {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["id": .string(id.text), "name": .string(name.text)]
        for figure in Plan.figures { members[figure.name.camelCased] = .integer(Int64(self[keyPath: figure.value])) }
        return .object(members)
    }
}

extension String {
    /// `tenant_messages_per_second` as `tenantMessagesPerSecond`, the spelling of JSON members.
    fileprivate var camelCased: String {
        let words = split(separator: "_")
        return words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// `raw_days` as `Raw days.`, a note for the document.
    fileprivate var asWords: String {
        let words = split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst() + "."
    }
}
