import ArgumentParser
import Base

/// `tidegate admin principal …`
struct PrincipalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "principal", abstract: "Who may act in a tenant: users and API clients.",
        subcommands: [Create.self, List.self, Delete.self])

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
            try await list(server, "/api/v1/tenants/\(tenant)/principals", ["name", "kind", "created", "id"])
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Deletes a principal and ends its tokens.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The principal's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/principals/\(id)"
            done(try await server.send(.delete, path.text), "The principal is deleted.")
        }
    }
}

/// `tidegate admin role …`
struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Named sets of permissions.", subcommands: [Create.self, List.self, Delete.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a role.",
            discussion: "Example: tidegate admin role create reader --tenant acme --permission device.read")

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "What it allows, such as device.read; may be given again.") var permission: [String]
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/roles"
            let permissions = JSONValue.array(permission.map { .string($0) })
            show(try await server.send(.post, path.text, .json(["name": .string(name), "permissions": permissions])))
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
        static let configuration = CommandConfiguration(abstract: "Deletes a role that nobody holds.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The role's name or identifier.") var role: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/roles/\(role)"
            done(try await server.send(.delete, path.text), "The role is deleted.")
        }
    }
}

/// `tidegate admin grant …`
struct GrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Roles given to principals at domains.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Gives a principal a role at a domain and below it.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The principal's identifier.") var principal: String
        @Argument(help: "The role's name or identifier.") var role: String
        @Option(help: "The domain, by path or identifier; the whole tenant by default.") var domain: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/grants"
            let body = JSONValue.given([
                "principal": .string(principal), "role": .string(role), "domain": .text(domain),
            ])
            show(try await server.send(.post, path.text, .json(body)))
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the grants.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(server, "/api/v1/tenants/\(tenant)/grants", ["principal", "role", "domain", "id"])
        }
    }

    struct Revoke: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Takes a role away again.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The grant's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/grants/\(id)"
            done(try await server.send(.delete, path.text), "The grant is ended.")
        }
    }
}
