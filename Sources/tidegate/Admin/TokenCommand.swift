import ArgumentParser
import Base

/// `tidegate admin token …`
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Tokens with which programs use the API.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a token and prints it, once.",
            discussion: "Example: tidegate admin token create --tenant acme --role viewer --name dashboard")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug; without it the token is the platform's.") var tenant: String = "platform"
        @Option(help: "What it may do: viewer, operator, admin, platform-admin, or a role of the tenant.")
        var role: String
        @Option(help: "Where it may do it, a domain's path or identifier; the whole tenant by default.")
        var domain: String?
        @Option(help: "What it is for.") var name: String?
        @Option(help: "After how many days it ends.") var days: Int?
        @Option(
            name: .customLong("scope"),
            help: "A permission that it may be used for, such as device.read; may be given again; all by default.")
        var scopes: [String] = []
        @Option(
            name: .customLong("from"),
            help: "Addresses from which it may be used, such as 192.0.2.0/24; may be given again; any by default.")
        var addresses: [String] = []
        @Option(help: "Why, for the audit log.") var reason: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/tokens"
            let body = JSONValue.given([
                "role": .string(role), "domain": .text(domain), "name": .text(name), "days": .whole(days),
                "scopes": scopes.isEmpty ? nil : .array(scopes.map { .string($0) }),
                "addresses": addresses.isEmpty ? nil : .array(addresses.map { .string($0) }),
                "reason": .text(reason),
            ])
            show(try await server.send(.post, path.text, .json(body)), first: ["id", "name", "token"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists tokens, without their secrets.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String = "platform"

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/tokens",
                ["name", "created", "expires", "lastUsed", "revoked", "scopes", "addresses", "id"])
        }
    }

    struct Revoke: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Ends a token at once.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The token's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String = "platform"

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/tokens/\(id)"
            done(try await server.send(.delete, path.text), "The token is ended.")
        }
    }
}
