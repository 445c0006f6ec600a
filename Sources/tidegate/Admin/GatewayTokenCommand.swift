import ArgumentParser
import Base

/// `tidegate admin gateway-token …`
struct GatewayTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway-token",
        abstract: "The token with which one gateway speaks for many devices to the update clients' API.",
        subcommands: [Show.self, Create.self, End.self])

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Says whether there is one, and since when.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/gateway-token"
            show(try await server.send(.get, path.text), first: ["active", "created", "creatorName"])
        }
    }

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes one in the place of any that there is, and shows it this once.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/gateway-token"
            show(try await server.send(.post, path.text), first: ["token"])
        }
    }

    struct End: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Ends it.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/gateway-token"
            done(try await server.send(.delete, path.text), "No gateway may speak for devices.")
        }
    }
}
