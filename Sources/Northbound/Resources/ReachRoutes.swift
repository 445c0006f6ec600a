import Access
import Base
import Fleet
import HTTPTypes

/// Who can reach what, what a change would do to it, and moves that can be undone.
extension RouteTable {
    static func reach(_ services: NorthboundServices) -> [Route] {
        let (access, fleet) = (services.access, services.fleet)
        let tenant = "/api/v1/tenants/{tenant}"
        return [
            Route(
                .get, tenant + "/devices/{device}/reach", "showDeviceReach",
                "Lists who can reach a device: with which role, through what, until when.", needs: .reachRead,
                query: Parameter.paging, success: .page(.reach)
            ) { call in
                let found = try await access.reach(device: call.device, tenant: call.tenant.id, by: call.principal)
                return try call.page(found.map { ($0.key, $0.json(services, call.tenant)) }, .reach)
            },
            Route(
                .get, tenant + "/domains/{domain}/reach", "showDomainReach",
                "Lists who can reach a domain: with which role, through what, until when.", needs: .reachRead,
                query: Parameter.paging, success: .page(.reach)
            ) { call in
                let found = try await access.reach(
                    domain: call.path.text("domain"), tenant: call.tenant.id, by: call.principal)
                return try call.page(found.map { ($0.key, $0.json(services, call.tenant)) }, .reach)
            },
            Route(
                .get, tenant + "/principals/{principal}/reach", "showPrincipalReach",
                "Lists what a principal can reach: with which role, through what, until when.", needs: .tenantRead,
                query: Parameter.paging, success: .page(.reach)
            ) { call in
                let found = try await access.reach(
                    of: call.path.text("principal"), tenant: call.tenant.id, by: call.principal)
                return try call.page(found.map { ($0.key, $0.json(services, call.tenant)) }, .reach)
            },
            Route(
                .get, tenant + "/principals/{principal}/devices", "listReachableDevices",
                "Lists the devices that a principal can see, of those that the caller sees.", needs: .deviceRead,
                query: Parameter.paging, success: .page(.listedDevice)
            ) { call in
                var query = DeviceQuery(cursor: call.query.textIfAny("after"), limit: call.limit)
                query.seenBy = try call.path.text("principal")
                let page = try await fleet.list(query, in: call.tenant.id, by: call.principal)
                return .page(page.items.map(\.json), next: page.next)
            },
            Route(
                .post, tenant + "/reach/preview", "previewReach",
                "Says who would lose and who would gain by a change, which is not made.", needs: .reachRead,
                body: .json(.reachPreview), success: .json(.reachChange)
            ) { call in
                .ok(try await preview(call, access, fleet).json(services, call.tenant))
            },
            Route(
                .get, tenant + "/moves", "listMoves", "Lists the moves of devices and domains, the newest first.",
                needs: .domainRead, query: Parameter.paging, success: .page(.move)
            ) { call in
                let moves = try await access.moves(tenant: call.tenant.id, by: call.principal)
                return try call.page(moves.map { ($0.id.text, $0.json) }, .moves)
            },
            Route(
                .post, tenant + "/moves/{move}/undo", "undoMove",
                "Moves a device or domain back, when it is still where it was moved to.", needs: .domainRead,
                success: .nothing
            ) { call in
                let id: MoveID = try call.path.identifier("move")
                if try await access.isMoveOfDevice(id, tenant: call.tenant.id, by: call.principal) {
                    _ = try await fleet.undoMove(id, in: call.tenant.id, by: call.principal)
                } else {
                    _ = try await access.undoMove(ofDomain: id, tenant: call.tenant.id, by: call.principal)
                }
                return .done
            },
        ]
    }

    private static func preview(_ call: Call, _ access: Access, _ fleet: Fleet) async throws -> ReachChange {
        let (body, tenant, principal) = (call.body, call.tenant.id, call.principal)
        let named = ["moveDevice", "moveDomain", "grant", "endGrant", "role", "join", "leave"].filter(body.contains)
        guard named.count == 1, let name = named.first else {
            throw body.fault("grant", "or another change must be there, and only one")
        }
        guard let fields = body.fields(name) else {
            return try await access.previewEnd(of: body.identifier(name), tenant: tenant, by: principal)
        }
        switch name {
        case "moveDevice":
            return try await fleet.previewMove(
                fields.text("device"), to: fields.text("to"), in: tenant, by: principal)
        case "moveDomain":
            return try await access.previewMove(
                domain: fields.text("domain"), below: fields.text("to"), tenant: tenant, by: principal)
        case "grant": return try await access.previewGrant(fields.grantDraft, tenant: tenant, by: principal)
        case "role":
            let permissions = Set(fields.texts("permissions").compactMap(Permission.init(rawValue:)))
            return try await access.previewRole(
                fields.name("name"), permissions: permissions, tenant: tenant, by: principal)
        default:
            return try await access.previewMember(
                fields.text("principal"), of: fields.text("group"), joins: name == "join", tenant: tenant, by: principal
            )
        }
    }
}

extension Fields {
    /// The grant that the members describe.
    var grantDraft: GrantDraft {
        get throws {
            var draft = GrantDraft(role: try text("role"))
            (draft.principal, draft.group) = (textIfAny("principal"), textIfAny("group"))
            (draft.domain, draft.device) = (textIfAny("domain"), textIfAny("device"))
            draft.expires = try timeIfAny("expires")
            return draft
        }
    }
}

extension Shape {
    static let grantMembers: [Member] = [
        .optional(
            "principal", .text(.nameOrIdentifier), "The principal's name or identifier, unless a group is named."),
        .optional("group", .text(.nameOrIdentifier), "The user group's name or identifier."),
        .required("role", .text(.nameOrIdentifier), "The role's name or identifier."),
        .optional("domain", .text, "The domain, by identifier or path; the root when left out."),
        .optional("device", .text(.nameOrIdentifier), "The device, by name or identifier, instead of a domain."),
        .optional("expires", .time, "When it ends; never when left out, which a guest's grant can not be."),
    ]

    static let permissions = Shape.array(
        of: .choice(Permission.allCases.map(\.rawValue)), atMost: Permission.allCases.count)

    static let reach = Shape.named(
        "Reach",
        .object([
            .required("principal", .nullable(.identifier), "Who can; null when it is whoever holds a role elsewhere."),
            .required("name", .nullable(.text), "The name of a principal of this tenant."),
            .required("kind", .nullable(.choice(["user", "client"])), "What sort of principal of this tenant it is."),
            .required("tenant", .text(.slug), "The tenant that they belong to."),
            .required("holders", .nullable(.text), "The role there whose holders can."),
            .required("role", .text, "The role that they have here."),
            .required("permissions", .array(of: .text, atMost: 1000), "What it allows."),
            .required("via", .choice(["grant", "group", "share"]), "By what."),
            .required("source", .identifier, "The grant or share."),
            .required("group", .nullable(.text), "The user group."),
            .required("domain", .nullable(.identifier), "Through which domain."),
            .required("device", .nullable(.identifier), "The device, when the role counts at that one only."),
            .required("until", .nullable(.time), "Until when; null is without an end."),
        ]))

    static let reachPreview = Shape.named(
        "ReachPreview",
        .object([
            .optional(
                "moveDevice",
                .object([
                    .required("device", .text(.nameOrIdentifier), "The device."),
                    .required("to", .text, "The domain that it would live in."),
                ]), "A device's move."),
            .optional(
                "moveDomain",
                .object([
                    .required("domain", .text, "The domain."),
                    .required("to", .text, "The domain that would be above it."),
                ]), "A domain's move."),
            .optional("grant", .named("ProposedGrant", .object(grantMembers)), "A new grant."),
            .optional("endGrant", .identifier, "The end of a grant."),
            .optional(
                "role",
                .object([
                    .required("name", .name, "The role's name."),
                    .required("permissions", permissions, "What it would allow."),
                ]), "Another content of a role of the tenant's own."),
            .optional("join", groupAndUser, "A user's joining a group."),
            .optional("leave", groupAndUser, "A user's leaving a group."),
        ]))

    private static let groupAndUser = Shape.object([
        .required("group", .text(.nameOrIdentifier), "The user group."),
        .required("principal", .text(.nameOrIdentifier), "The user."),
    ])

    static let reachChange = Shape.named(
        "ReachChange",
        .object([
            .required("losing", .count, "How many lose something."),
            .required("gaining", .count, "How many gain something."),
            .required("sessions", .count, "How many sessions are open of those who lose something."),
            .required(
                "differences",
                .array(
                    of: .object([
                        .required(
                            "principal", .nullable(.identifier), "Who; null when it is a role's holders elsewhere."),
                        .required("name", .nullable(.text), "The name of a principal of this tenant."),
                        .required("tenant", .text(.slug), "The tenant that they belong to."),
                        .required("holders", .nullable(.text), "The role there whose holders it concerns."),
                        .required("lost", .array(of: .text, atMost: 1000), "The permissions that they lose."),
                        .required("gained", .array(of: .text, atMost: 1000), "The permissions that they gain."),
                    ]), atMost: 1_000_000), "Whom it concerns."),
        ]))

    static let move = Shape.named(
        "Move",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("kind", .choice(["device", "domain"]), "What was moved."),
            .required("object", .identifier, "Which one."),
            .required("from", .identifier, "The domain it was in."),
            .required("to", .identifier, "The domain it came to."),
            .required("principal", .identifier, "By whom."),
            .required("made", .time, "When."),
            .required("undone", .nullable(.time), "When it was undone."),
        ]))
}

extension Reach.Holder {
    fileprivate func members(_ services: NorthboundServices, _ here: Tenant) -> [String: JSONValue] {
        func slug(_ id: TenantID) -> JSONValue {
            .string(services.access.directory.tenant(id)?.slug.text ?? id.text)
        }
        return switch self {
        case .own(let id): ["principal": .string(id.text), "tenant": .string(here.slug.text), "holders": .null]
        case .foreign(let id, let tenant):
            ["principal": .string(id.text), "tenant": slug(tenant), "holders": .null]
        case .foreignRole(let role, let tenant):
            ["principal": .null, "tenant": slug(tenant), "holders": .string(role.label)]
        }
    }
}

extension Set<Permission> {
    fileprivate var json: JSONValue { .array(map(\.rawValue).sorted().map { .string($0) }) }
}

extension Reach {
    private var source: String {
        switch ground {
        case .grant(let id), .group(_, let id): id.text
        case .share(let id): id.text
        }
    }

    private var via: String {
        switch ground {
        case .grant: "grant"
        case .group: "group"
        case .share: "share"
        }
    }

    /// The place in a list: by name, those of other tenants last.
    fileprivate var key: String { "\(name.map { "0" + $0 } ?? "1")\n\(source)" }

    fileprivate func json(_ services: NorthboundServices, _ here: Tenant) -> JSONValue {
        let more: [String: JSONValue] = [
            "name": name.map { .string($0) } ?? .null, "kind": kind.map { .string($0.rawValue) } ?? .null,
            "role": .string(roleName), "permissions": permissions.json, "via": .string(via), "source": .string(source),
            "group": group.map { .string($0) } ?? .null, "domain": domain.map { .string($0.text) } ?? .null,
            "device": device.map { .string($0.text) } ?? .null, "until": until.map { .string($0.rfc3339) } ?? .null,
        ]
        return .object(holder.members(services, here).merging(more) { $1 })
    }
}

extension ReachChange {
    fileprivate func json(_ services: NorthboundServices, _ here: Tenant) -> JSONValue {
        [
            "losing": .integer(Int64(losing)), "gaining": .integer(Int64(gaining)),
            "sessions": .integer(Int64(sessions)),
            "differences": .array(
                differences.map { difference in
                    .object(
                        difference.holder.members(services, here).merging([
                            "name": difference.name.map { .string($0) } ?? .null, "lost": difference.lost.json,
                            "gained": difference.gained.json,
                        ]) { $1 })
                }),
        ]
    }
}

extension Move {
    fileprivate var json: JSONValue {
        let id =
            switch object {
            case .device(let id): id.text
            case .domain(let id): id.text
            }
        return [
            "id": .string(self.id.text), "kind": .string(object.kind), "object": .string(id),
            "from": .string(origin.text), "to": .string(target.text), "principal": .string(principal.text),
            "made": .string(made.rfc3339), "undone": undone.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
