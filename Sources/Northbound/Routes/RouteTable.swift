import Base
import HTTPTypes

/// Every operation of the API, in the order of the document.
///
/// The table is the one truth: the router is filled from it and the OpenAPI document is written from it.
public struct RouteTable: Sendable {
    /// The operations.
    public let routes: [Route]

    /// A table of these operations.
    public init(_ routes: [Route]) {
        self.routes = routes
    }

    /// What the path parameters of all routes mean; one name means one thing everywhere.
    static let pathParameters: [Parameter] = [
        .path("tenant", .text(.slug), "The tenant's slug."),
        .path("device", .text(.nameOrIdentifier), "The device's name or identifier."),
        .path("model", .text(.nameOrIdentifier), "The model's name or identifier."),
        .path("domain", .text, "The domain's identifier, or its path with each slash written %2F."),
        .path("principal", .text(.nameOrIdentifier), "The principal's name or identifier."),
        .path("user", .text(.free(atMost: 254)), "The user's e-mail address, or the principal's name or identifier."),
        .path("session", .identifier, "The session's identifier."),
        .path("factor", .identifier, "The factor's identifier."),
        .path("role", .text(.nameOrIdentifier), "The role's name or identifier."),
        .path("grant", .identifier, "The grant's identifier."),
        .path("group", .text(.nameOrIdentifier), "The user group's name or identifier."),
        .path("move", .identifier, "The move's identifier."),
        .path("change", .identifier, "The pending change's identifier."),
        .path("share", .identifier, "The share's identifier."),
        .path("token", .identifier, "The token's identifier."),
        .path("directory", .name, "The directory's name."),
        .path("client", .identifier, "The OAuth client's identifier."),
        .path("outlet", .text(.nameOrIdentifier), "The outlet's name or identifier."),
        .path("delivery", .identifier, "The delivery's identifier."),
        .path("operation", .identifier, "The operation's identifier."),
        .path("task", .identifier, "The task's identifier."),
        .path("campaign", .identifier, "The campaign's identifier."),
        .path("component", .name, "The component's name."),
        .path("artifact", .identifier, "The artifact's identifier, which is also that of its upload."),
        .path("updateKey", .name, "The update key's name."),
        .path("release", .identifier, "The release's identifier."),
        .path("releaseLine", .identifier, "The release line's identifier."),
        .path("alert", .identifier, "The alert's identifier."),
        .path("alertRule", .text(.nameOrIdentifier), "The alert rule's name or identifier."),
        .path("edit", .identifier, "The edit's identifier."),
        .path("plan", .text(.nameOrIdentifier), "The plan's name or identifier."),
    ]

    static func pathParameter(_ name: String) -> Parameter? { pathParameters.first { $0.name == name } }

    /// Whether uploads that can be resumed go to this address or to one right below it.
    func takesUploads(_ path: String) -> Bool {
        routes.contains { $0.isResumable && ($0.path == path || $0.path.hasPrefix("\(path)/{artifact}")) }
    }

    /// The operations by path, each path once, in the order of the table.
    var byPath: [(path: String, routes: [Route])] {
        var order: [String] = []
        var groups: [String: [Route]] = [:]
        for route in routes {
            if groups[route.path] == nil { order.append(route.path) }
            groups[route.path, default: []].append(route)
        }
        return order.map { ($0, groups[$0] ?? []) }
    }
}
