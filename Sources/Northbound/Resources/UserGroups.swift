import Access
import Base
import HTTPTypes

/// User groups, and who is in them.
extension RouteTable {
    static func userGroups(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/groups"
        let members = all + "/{group}/members"
        return [
            Route(
                .get, all, "listGroups", "Lists the user groups by name.", needs: .principalRead,
                query: Parameter.paging, success: .page(.userGroup)
            ) { call in
                let groups = try await access.groups(tenant: call.tenant.id, by: call.principal)
                return try call.page(groups.map { ($0.name, $0.json) }, .groups)
            },
            Route(
                .post, all, "createGroup", "Makes a user group, without members and without any right.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "UserGroupDraft", .object([.required("name", .name, "The name, unique in the tenant.")]))),
                success: .created(.userGroup)
            ) { call in
                let group = try await access.createGroup(
                    call.body.name("name"), tenant: call.tenant.id, by: call.principal)
                return .created(group.json, at: "/api/v1/tenants/\(call.tenant.slug)/groups/\(group.id)")
            },
            Route(
                .patch, all + "/{group}", "renameGroup", "Gives a user group another name.", needs: .principalManage,
                body: .json(
                    .named(
                        "UserGroupChange", .object([.required("name", .name, "The new name, unique in the tenant.")]))),
                success: .json(.userGroup)
            ) { call in
                .ok(
                    try await access.renameGroup(
                        call.path.text("group"), to: call.body.name("name"), tenant: call.tenant.id,
                        by: call.principal
                    ).json)
            },
            Route(
                .delete, all + "/{group}", "deleteGroup", "Deletes a user group with its grants; its users stay.",
                needs: .principalManage, query: [.reason], success: .nothing
            ) { call in
                try await access.deleteGroup(
                    call.path.text("group"), reason: call.query.textIfAny("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .done
            },
            Route(
                .get, members, "listGroupMembers", "Lists the users in a group by name.", needs: .principalRead,
                query: Parameter.paging, success: .page(.principal)
            ) { call in
                let found = try await access.members(
                    of: call.path.text("group"), tenant: call.tenant.id, by: call.principal)
                return try call.page(found.map { ($0.name, $0.json) }, .groupMembers)
            },
            Route(
                .put, members + "/{principal}", "addGroupMember",
                "Puts a user into a group; nobody gives by it what they do not hold.", needs: .principalManage,
                query: [.reason], success: .nothing
            ) { call in
                try await access.addMember(
                    call.path.text("principal"), to: call.path.text("group"), reason: call.query.textIfAny("reason"),
                    tenant: call.tenant.id, by: call.principal)
                return .done
            },
            Route(
                .delete, members + "/{principal}", "removeGroupMember", "Takes a user out of a group.",
                needs: .principalManage, query: [.reason], success: .nothing
            ) { call in
                try await access.removeMember(
                    call.path.text("principal"), from: call.path.text("group"),
                    reason: call.query.textIfAny("reason"), tenant: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }
}

extension Parameter {
    /// The reason for a change of security settings.
    static let reason = Parameter.query(
        "reason", .text(.free(atMost: AccessLimits.reasonBytes)),
        "Why, for the audit log; needed when it concerns administrators' rights.")
}

extension Shape.Member {
    /// The reason for a change of security settings.
    static let reason = Shape.Member.optional(
        "reason", .text(.free(atMost: AccessLimits.reasonBytes)),
        "Why, for the audit log; needed when it concerns administrators' rights.")
}

extension Shape {
    static let userGroup = Shape.named(
        "UserGroup",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("name", .name, "The name."),
            .required("members", .count, "How many users are in it."),
            .required("created", .time, "When it was made."),
        ]))
}

extension UserGroup {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.text), "name": .string(name), "members": .integer(Int64(members)),
            "created": .string(created.rfc3339),
        ]
    }
}
