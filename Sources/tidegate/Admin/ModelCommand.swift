import ArgumentParser
import Base

/// `tidegate admin model …`
struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Device types: their series, components and policies.",
        subcommands: [Put.self, List.self, Show.self, Delete.self])

    struct Put: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Writes a model from a JSON file: a new one, or a new version.",
            discussion: "Example: tidegate admin model put meter meter.json --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The model's name.") var name: String
        @Argument(help: "A JSON file, or - for the standard input.") var file: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/models/\(name)"
            let model = try await JSONValue(file: file, atMost: 1 << 20)
            show(try await server.send(.put, path.text, .json(model)), first: ["id", "name", "version"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the models.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/models", ["name", "version", "undeclared", "changed", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a model.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The model's name or identifier.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/models/\(name)"
            show(try await server.send(.get, path.text), first: ["id", "name", "version"])
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Deletes a model that no device has.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The model's name or identifier.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/models/\(name)"
            done(try await server.send(.delete, path.text), "\(name) is deleted.")
        }
    }
}
