import Access
import Base
import HTTPTypes
import Operations

/// The releases of a component, shared with another tenant.
extension RouteTable {
    static func releaseLines(_ services: NorthboundServices) -> [Route] {
        let operations = services.operations
        let all = "/api/v1/tenants/{tenant}/release-lines"
        let one = all + "/{releaseLine}"
        return [
            Route(
                .get, all, "listReleaseLines",
                "Lists the release lines that the tenant offers, and those offered to it.",
                needs: .releaseRead, query: Parameter.paging, success: .page(.releaseLine)
            ) { call in
                let lines = try await operations.releaseLines(in: call.tenant.id, by: call.principal)
                return try call.page(lines.map { ($0.id.text, $0.json(services)) }, .releaseLines)
            },
            Route(
                .post, all, "offerReleaseLine",
                "Offers the releases of a component to another tenant: its last one, and those to come.",
                needs: .shareManage,
                body: .json(
                    .named(
                        "ReleaseLineDraft",
                        .object([
                            .required("component", .name, "The component."),
                            .required("to", .text(.slug), "The tenant that the offer is for."),
                        ]))), success: .created(.releaseLine)
            ) { call in
                let line = try await operations.offerReleaseLine(
                    of: call.body.name("component"), to: call.body.slug("to"), in: call.tenant.id, by: call.principal)
                return .created(
                    line.json(services), at: "/api/v1/tenants/\(call.tenant.slug)/release-lines/\(line.id)")
            },
            Route(
                .post, one + "/accept", "acceptReleaseLine",
                "Accepts an offer of releases, in the tenant that it is for: they arrive by themselves from then on.",
                needs: .shareManage, success: .json(.releaseLine)
            ) { call in
                .ok(
                    try await operations.acceptReleaseLine(
                        call.path.identifier("releaseLine"), in: call.tenant.id, by: call.principal
                    ).json(services))
            },
            Route(
                .post, one + "/decline", "declineReleaseLine",
                "Declines an offer of releases, in the tenant that it is for.", needs: .shareManage,
                success: .json(.releaseLine)
            ) { call in
                .ok(
                    try await operations.declineReleaseLine(
                        call.path.identifier("releaseLine"), in: call.tenant.id, by: call.principal
                    ).json(services))
            },
            Route(
                .post, one + "/end", "endReleaseLine",
                "Ends a release line at once, from either side; what has arrived stays.", needs: .shareManage,
                success: .json(.releaseLine)
            ) { call in
                .ok(
                    try await operations.endReleaseLine(
                        call.path.identifier("releaseLine"), in: call.tenant.id, by: call.principal
                    ).json(services))
            },
        ]
    }
}

extension Shape {
    static let releaseLine = Shape.named(
        "ReleaseLine",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("from", .text(.slug), "The tenant that publishes."),
            .required("to", .text(.slug), "The tenant at which the releases arrive."),
            .required("component", .name, "The component."),
            .required(
                "status", .choice(ReleaseLine.Status.allCases.map(\.rawValue)), "How far the offer has come."),
            .required("offered", .time, "When it was offered."),
            .required("arrived", .count, "The counter of the last release that has arrived; 0 before the first."),
            .required("problem", .nullable(.text), "Why the next release could not be taken; tried again each hour."),
        ]))
}

extension ReleaseLine {
    fileprivate func json(_ services: NorthboundServices) -> JSONValue {
        func slug(_ id: TenantID) -> JSONValue {
            .string(services.access.directory.tenant(id)?.slug.text ?? id.text)
        }
        return [
            "id": .string(id.text), "from": slug(owner), "to": slug(taker), "component": .string(component),
            "status": .string(status.rawValue), "offered": .string(offered.rfc3339), "arrived": .integer(arrived),
            "problem": problem.map { .string($0) } ?? .null,
        ]
    }
}
