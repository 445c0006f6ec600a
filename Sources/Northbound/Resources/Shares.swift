import Access
import Base
import HTTPTypes

/// Roles offered to principals of another tenant.
extension RouteTable {
    static func shares(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/shares"
        let one = all + "/{share}"
        return [
            Route(
                .get, all, "listShares", "Lists what the tenant offers to others and what is offered to it.",
                needs: .shareRead, query: Parameter.paging, success: .page(.share)
            ) { call in
                let shares = try await access.shares(tenant: call.tenant.id, by: call.principal)
                return try call.page(shares.map { ($0.id.text, $0.json(services)) }, .shares)
            },
            Route(
                .post, all, "offerShare",
                "Offers a role at a domain, or at one device, to principals of another tenant.",
                needs: .shareManage,
                body: .json(
                    .named(
                        "ShareDraft",
                        .object([
                            .required("to", .text(.slug), "The tenant that the offer is for."),
                            .required(
                                "holder", .text(.nameOrIdentifier),
                                "A built-in role, whose holders there may act, or a principal there by identifier."),
                            .required("role", .text(.nameOrIdentifier), "The role offered, of this tenant."),
                            .optional("domain", .text, "Where, by identifier or path; the whole tenant when left out."),
                            .optional("device", .text(.nameOrIdentifier), "The device, instead of a domain."),
                            .required("ends", .time, "When it ends at the latest."),
                            .reason,
                        ]))), success: .created(.share)
            ) { call in
                let share = try await access.offerShare(
                    role: call.body.text("role"), at: call.body.textIfAny("domain"),
                    device: call.body.textIfAny("device"),
                    to: call.body.slug("to"), holder: call.body.text("holder"), ends: call.body.time("ends"),
                    reason: call.body.textIfAny("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .created(share.json(services), at: "/api/v1/tenants/\(call.tenant.slug)/shares/\(share.id)")
            },
            Route(
                .post, one + "/accept", "acceptShare", "Accepts an offer, in the tenant that it is for.",
                needs: .shareManage, query: [.reason], success: .json(.share)
            ) { call in
                .ok(
                    try await access.acceptShare(
                        call.path.identifier("share"), reason: call.query.textIfAny("reason"), tenant: call.tenant.id,
                        by: call.principal
                    ).json(services))
            },
            Route(
                .post, one + "/decline", "declineShare", "Declines an offer, in the tenant that it is for.",
                needs: .shareManage, success: .json(.share)
            ) { call in
                .ok(
                    try await access.declineShare(
                        call.path.identifier("share"), tenant: call.tenant.id, by: call.principal
                    ).json(services))
            },
            Route(
                .post, one + "/end", "endShare", "Ends a share at once, from either side.", needs: .shareManage,
                success: .json(.share)
            ) { call in
                .ok(
                    try await access.endShare(
                        call.path.identifier("share"), tenant: call.tenant.id, by: call.principal
                    ).json(services))
            },
        ]
    }
}

extension Shape {
    static let share = Shape.named(
        "Share",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("from", .text(.slug), "The tenant that shares."),
            .required("to", .text(.slug), "The tenant that may act."),
            .required("holder", .text, "The role there whose holders may act, or the identifier of a principal there."),
            .required("role", .text, "The role shared: its name when the program brings it, else its identifier."),
            .required("domain", .nullable(.identifier), "Where, with everything below."),
            .required("device", .nullable(.identifier), "The device that is shared, when it is only one."),
            .required("status", .choice(Share.Status.allCases.map(\.rawValue)), "How far the offer has come."),
            .required("ends", .time, "When it ends at the latest."),
            .required("offered", .time, "When it was offered."),
        ]))
}

extension Share {
    fileprivate func json(_ services: NorthboundServices) -> JSONValue {
        func slug(_ id: TenantID) -> JSONValue {
            .string(services.access.directory.tenant(id)?.slug.text ?? id.text)
        }
        let holder =
            switch holder {
            case .principal(let id): id.text
            case .role(let id): id.label
            }
        return [
            "id": .string(id.text), "from": slug(owner), "to": slug(grantee), "holder": .string(holder),
            "role": .string(role.label), "domain": domain.map { .string($0.text) } ?? .null,
            "device": device.map { .string($0.text) } ?? .null, "status": .string(status.rawValue),
            "ends": .string(ends.rfc3339), "offered": .string(offered.rfc3339),
        ]
    }
}
