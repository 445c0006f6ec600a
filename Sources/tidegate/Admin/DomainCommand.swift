import ArgumentParser
import Base

/// `tidegate admin domain …`
struct DomainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "The tree in which a tenant's devices and rights live.",
        subcommands: [List.self, Create.self, Rename.self, Move.self, Delete.self])

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the domains by their paths.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(server, "/api/v1/tenants/\(tenant)/domains", ["path", "id"])
        }
    }

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a domain.", discussion: "Example: tidegate admin domain create plants --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "The domain above it, by path or identifier; the root by default.") var parent: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/domains"
            let body = JSONValue.given(["name": .string(name), "parent": .text(parent)])
            show(try await server.send(.post, path.text, .json(body)), first: ["id", "name", "path"])
        }
    }

    struct Rename: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Gives a domain another name.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The domain's path or identifier.") var domain: String
        @Argument(help: "Its new name.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/domains/\(domain)"
            show(
                try await server.send(.patch, path.text, .json(["name": .string(name)])), first: ["id", "name", "path"])
        }
    }

    struct Move: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Moves a domain, and all below it, under another.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The domain's path or identifier.") var domain: String
        @Option(help: "The domain above it from now on, by path or identifier.") var parent: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/domains/\(domain)"
            show(
                try await server.send(.patch, path.text, .json(["parent": .string(parent)])),
                first: ["id", "name", "path"])
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Deletes a domain that is empty.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The domain's path or identifier.") var domain: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/domains/\(domain)"
            done(try await server.send(.delete, path.text), "The domain is deleted.")
        }
    }
}
