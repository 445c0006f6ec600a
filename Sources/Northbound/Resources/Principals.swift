import Access
import Base
import HTTPTypes

/// Who may do what in a tenant: principals, roles and grants.
extension RouteTable {
    static func principals(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/principals"
        return [
            Route(
                .get, all, "listPrincipals", "Lists the principals by name.", needs: .principalRead,
                query: Parameter.paging, success: .page(.principal)
            ) { call in
                let found = try await access.principals(
                    tenant: call.tenant.id, after: call.cursor(.principals) ?? "", limit: call.limit, by: call.principal
                )
                let next = found.count == call.limit ? found.last.map { Cursor.principals.text($0.name) } : nil
                return .page(found.map(\.json), next: next)
            },
            Route(
                .post, all, "createPrincipal", "Makes a user or an API client, without any right.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "PrincipalDraft",
                        .object([
                            .required("name", .name, "The name, unique in the tenant."),
                            .required("kind", .choice(["user", "client"]), "A person or a program."),
                        ]))), success: .created(.principal)
            ) { call in
                let kind: Principal.Kind = try call.body.text("kind") == "user" ? .user : .client
                let made = try await access.createPrincipal(
                    call.body.name("name"), kind: kind, tenant: call.tenant.id, by: call.principal)
                return .created(made.json, at: "/api/v1/tenants/\(call.tenant.slug)/principals/\(made.id)")
            },
            Route(
                .patch, all + "/{principal}", "updatePrincipal",
                "Disables a principal, whose tokens are refused from then on, or enables it again.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "PrincipalChange",
                        .object([.required("active", .boolean, "Whether it may act.")]))), success: .json(.principal)
            ) { call in
                .ok(
                    try await access.setActive(
                        call.body.boolIfAny("active") ?? true, principal: call.path.text("principal"),
                        tenant: call.tenant.id, by: call.principal
                    ).json)
            },
        ]
    }

    static func roles(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/roles"
        return [
            Route(
                .get, all, "listRoles", "Lists the roles, those that the program brings included.",
                needs: .principalRead,
                query: Parameter.paging, success: .page(.role)
            ) { call in
                let roles = try await access.roles(tenant: call.tenant.id, by: call.principal)
                return try call.page(roles.map { (($0.isBuiltIn ? "0" : "1") + $0.name.text, $0.json) }, .roles)
            },
            Route(
                .put, all + "/{role}", "putRole", "Makes a role of the tenant's own, or changes one.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "RoleDraft",
                        .object([
                            .required(
                                "permissions", .permissions, "What it allows; nobody can put in what they do not hold."),
                            .reason,
                        ]))), success: .json(.role)
            ) { call in
                let permissions = Set(call.body.texts("permissions").compactMap(Permission.init(rawValue:)))
                if call.tenant.id != .platform, let idle = permissions.first(where: \.isPlatformOnly) {
                    throw call.body.fault(
                        "permissions", "can not hold \(idle.rawValue), which counts on the platform only")
                }
                return .ok(
                    try await access.putRole(
                        call.path.name("role"), permissions: permissions, reason: call.body.textIfAny("reason"),
                        tenant: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .delete, all + "/{role}", "deleteRole",
                "Deletes a role of the tenant's own, with its grants and shares.",
                needs: .principalManage, query: [.reason], success: .nothing
            ) { call in
                try await access.deleteRole(
                    call.path.text("role"), reason: call.query.textIfAny("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .done
            },
        ]
    }

    static func grants(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/grants"
        return [
            Route(
                .get, all, "listGrants", "Lists the grants, of one principal or user group when it is named.",
                needs: .principalRead,
                query: Parameter.paging + [
                    .query("principal", .text(.nameOrIdentifier), "The principal's name or identifier."),
                    .query("group", .text(.nameOrIdentifier), "The user group's name or identifier."),
                ], success: .page(.grant)
            ) { call in
                let grants = try await access.grants(
                    of: call.query.textIfAny("principal"), group: call.query.textIfAny("group"), tenant: call.tenant.id,
                    by: call.principal)
                return try call.page(grants.map { ($0.id.text, $0.json) }, .grants)
            },
            Route(
                .post, all, "createGrant",
                "Gives a principal or user group a role at a domain and everything below it, or at one device.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "GrantDraft",
                        .object(Shape.grantMembers + [.reason]))), success: .created(.grant)
            ) { call in
                let grant = try await access.grant(
                    call.body.grantDraft, reason: call.body.textIfAny("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .created(grant.json, at: "/api/v1/tenants/\(call.tenant.slug)/grants/\(grant.id)")
            },
            Route(
                .delete, all + "/{grant}", "endGrant", "Takes a role away again.", needs: .principalManage,
                query: [.reason], success: .nothing
            ) { call in
                try await access.endGrant(
                    call.path.identifier("grant"), reason: call.query.textIfAny("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .done
            },
        ]
    }
}

extension Shape {
    static let principal = Shape.named(
        "Principal",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("name", .text, "The name."),
            .required("kind", .choice(["user", "client", "device", "system"]), "What sort of principal it is."),
            .required("active", .boolean, "Whether it may act."),
            .required("created", .time, "When it was made."),
        ]))

    static let role = Shape.named(
        "Role",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("name", .name, "The name."),
            .required("builtIn", .boolean, "Whether the program brings it."),
            .required("permissions", .array(of: .text, atMost: 1000), "What it allows."),
        ]))

    static let grant = Shape.named(
        "Grant",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("principal", .nullable(.identifier), "Who holds the role, unless a group does."),
            .required("group", .nullable(.identifier), "The user group that holds it."),
            .required("role", .text, "The role's name when the program brings it, else its identifier."),
            .required("domain", .nullable(.identifier), "Where, with everything below."),
            .required("device", .nullable(.identifier), "The device that it counts at, when it is only one."),
            .required("expires", .nullable(.time), "When it ends."),
            .required("created", .time, "When it was made."),
        ]))
}

extension RoleID {
    /// The name of a role that the program brings, the identifier of another.
    var label: String { Role.builtIn.first { $0.id == self }?.name.text ?? text }
}

extension PrincipalInfo {
    var json: JSONValue {
        [
            "id": .string(id.text), "name": .string(name), "kind": .string(kind.rawValue), "active": .bool(isActive),
            "created": .string(created.rfc3339),
        ]
    }
}

extension Role {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.text), "name": .string(name.text), "builtIn": .bool(isBuiltIn),
            "permissions": .array(permissions.map(\.rawValue).sorted().map { .string($0) }),
        ]
    }
}

extension Grant {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.text), "principal": holder.principal.map { .string($0.text) } ?? .null,
            "group": holder.group.map { .string($0.text) } ?? .null, "role": .string(role.label),
            "domain": domain.map { .string($0.text) } ?? .null, "device": device.map { .string($0.text) } ?? .null,
            "expires": expires.map { .string($0.rfc3339) } ?? .null,
            "created": .string(created.rfc3339),
        ]
    }
}
