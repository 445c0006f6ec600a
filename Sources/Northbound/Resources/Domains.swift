import Access
import Base
import HTTPTypes

/// The tree in which a tenant's devices and rights live.
extension RouteTable {
    static func domains(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/domains"
        let one = all + "/{domain}"
        return [
            Route(
                .get, all, "listDomains", "Lists the domains that the caller may see, each after the one above it.",
                needs: .domainRead, query: Parameter.paging, success: .page(.listedDomain)
            ) { call in
                let domains = try await access.domains(tenant: call.tenant.id, by: call.principal)
                return try call.page(DomainTree(domains).items, .domains)
            },
            Route(
                .post, all, "createDomain", "Makes a domain below another.", needs: .domainManage,
                body: .json(
                    .named(
                        "DomainDraft",
                        .object([
                            .required("name", .name, "The name, unique below the same domain."),
                            .optional(
                                "parent", .text, "The domain above it, by identifier or path; the root when left out."),
                        ]))), success: .created(.domain)
            ) { call in
                let domain = try await access.createDomain(
                    call.body.name("name"), below: call.body.textIfAny("parent"), tenant: call.tenant.id,
                    by: call.principal)
                return .created(domain.json, at: "/api/v1/tenants/\(call.tenant.slug)/domains/\(domain.id)")
            },
            Route(.get, one, "showDomain", "Shows a domain.", needs: .domainRead, success: .json(.domain)) { call in
                .ok(
                    try await access.domain(call.path.text("domain"), tenant: call.tenant.id, by: call.principal).json)
            },
            Route(
                .patch, one, "updateDomain", "Renames a domain, or moves it with all below it.", needs: .domainManage,
                body: .json(
                    .named(
                        "DomainChange",
                        .object([
                            .optional("name", .name, "The new name."),
                            .optional("parent", .text, "The domain above it from now on, by identifier or path."),
                        ]))), success: .json(.domain)
            ) { call in
                .ok(
                    try await access.changeDomain(
                        call.path.text("domain"), name: call.body.nameIfAny("name"),
                        below: call.body.textIfAny("parent"), tenant: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .delete, one, "deleteDomain", "Deletes a domain that holds no devices and no domains.",
                needs: .domainManage, success: .nothing
            ) { call in
                try await access.deleteDomain(
                    call.path.text("domain"), tenant: call.tenant.id, by: call.principal, isUsed: services.isDomainUsed)
                return .done
            },
        ]
    }
}

extension Shape {
    private static let domainMembers: [Member] = [
        .required("id", .identifier, "The identifier."),
        .required("name", .text, "The name."),
        .required("parent", .nullable(.identifier), "The domain above it; null for the root."),
        .required("created", .time, "When it was made."),
    ]

    static let domain = Shape.named("Domain", .object(domainMembers))
    static let listedDomain = Shape.named(
        "ListedDomain",
        .object(
            domainMembers + [
                .required("path", .text, "The names from the root down, or from the topmost that the caller may see.")
            ]))
}

extension Domain {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.text), "name": .string(name), "parent": parent.map { .string($0.text) } ?? .null,
            "created": .string(created.rfc3339),
        ]
    }
}

/// The domains with their paths.
private struct DomainTree {
    private let byID: [DomainID: Domain]

    init(_ domains: [Domain]) {
        byID = Dictionary(domains.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Each domain as JSON with its path, which puts it after the domain above it when sorted by bytes.
    var items: [(key: String, json: JSONValue)] {
        byID.values.map { domain in
            let path = path(of: domain)
            var json = domain.json
            if case .object(var members) = json {
                members["path"] = .string(path)
                json = .object(members)
            }
            // Two that the caller sees from different places can have the same path.
            return (path + "\n" + domain.id.text, json)
        }
    }

    private func path(of domain: Domain) -> String {
        var names: [String] = []
        var next: Domain? = domain
        // The tree has no cycles; the bound is there so that a damaged one ends too.
        while let current = next, names.count <= AccessLimits.domainDepth {
            if current.parent == nil { break }
            names.append(current.name)
            next = current.parent.flatMap { byID[$0] }
        }
        return names.isEmpty ? "/" : names.reversed().joined(separator: "/")
    }
}
