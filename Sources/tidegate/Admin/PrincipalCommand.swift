import ArgumentParser
import Base

/// `tidegate admin principal …`
struct PrincipalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "principal", abstract: "Who may act in a tenant: users and API clients.",
        subcommands: [Create.self, List.self, Disable.self, Enable.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Makes a user or an API client.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "user or client.") var kind: String = "client"
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/principals"
            show(try await server.send(.post, path.text, .json(["name": .string(name), "kind": .string(kind)])))
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the principals.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(server, "/api/v1/tenants/\(tenant)/principals", ["name", "kind", "active", "created", "id"])
        }
    }

    struct Disable: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Refuses a principal's tokens until it is enabled again.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The principal's name or identifier.") var principal: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/principals/\(principal)"
            done(try await server.send(.patch, path.text, .json(["active": false])), "\(principal) is disabled.")
        }
    }

    struct Enable: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lets a disabled principal act again.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The principal's name or identifier.") var principal: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/principals/\(principal)"
            done(try await server.send(.patch, path.text, .json(["active": true])), "\(principal) may act again.")
        }
    }
}

/// `tidegate admin role …`
struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Named sets of permissions.", subcommands: [Put.self, List.self, Delete.self])

    struct Put: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a role of the tenant's own, or changes one.",
            discussion: "Example: tidegate admin role put reader --tenant acme --permission device.read")

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "What it allows, such as device.read; may be given again.") var permission: [String]
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/roles/\(name)"
            let permissions = JSONValue.array(permission.map { .string($0) })
            let body = JSONValue.given(["permissions": permissions, "reason": .text(reason)])
            show(try await server.send(.put, path.text, .json(body)))
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the roles, those of the program included.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(server, "/api/v1/tenants/\(tenant)/roles", ["name", "builtIn", "permissions"])
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a role of the tenant's own, with its grants and shares.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The role's name or identifier.") var role: String
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/roles/\(role)"
            done(try await server.send(.delete, path.adding("reason", reason).text), "The role is deleted.")
        }
    }
}

/// `tidegate admin grant …`
struct GrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Roles given to principals and user groups at domains and devices.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Gives a principal or user group a role at a domain and below it, or at one device.")

        @OptionGroup var options: AdminOptions
        @Flag(help: "The holder is a user group, not a principal.") var group = false
        @Argument(help: "The holder's name or identifier.") var holder: String
        @Argument(help: "The role's name or identifier.") var role: String
        @Option(help: "The domain, by path or identifier; the whole tenant by default.") var domain: String?
        @Option(help: "The device, by name or identifier, instead of a domain.") var device: String?
        @Option(help: "When it ends, such as 2027-01-01T00:00:00Z.") var until: String?
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/grants"
            let body = JSONValue.given([
                group ? "group" : "principal": .string(holder), "role": .string(role), "domain": .text(domain),
                "device": .text(device), "expires": .text(until), "reason": .text(reason),
            ])
            show(try await server.send(.post, path.text, .json(body)))
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the grants.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/grants",
                ["principal", "group", "role", "domain", "device", "expires", "id"])
        }
    }

    struct Revoke: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Takes a role away again.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The grant's identifier.") var id: String
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/grants/\(id)"
            done(try await server.send(.delete, path.adding("reason", reason).text), "The grant is ended.")
        }
    }
}
