import ArgumentParser
import Base

/// `tidegate admin client …`
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Programs that get access tokens by OAuth.",
        subcommands: [Create.self, List.self, Secret.self, End.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Registers a program and prints its secret, once.",
            discussion: """
                Examples:
                  tidegate admin client create exporter --tenant acme --flow itself --role viewer
                  tidegate admin client create app --tenant acme --flow code --method none \
                --redirect http://127.0.0.1/callback
                """)

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its name for people.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "How it gets tokens: itself, code or device; may be given again.") var flow: [String]
        @Option(help: "How it proves which one it is: secret, key, certificate or none.") var method: String = "secret"
        @Option(help: "What it may do itself, with --flow itself.") var role: String?
        @Option(help: "Where it may do that, a domain's path or identifier; the whole tenant by default.")
        var domain: String?
        @Option(help: "Where answers may go, with --flow code; may be given again.") var redirect: [String] = []
        @Option(
            name: .customLong("scope"),
            help: "A permission that its tokens may be used for; may be given again; all by default.")
        var scopes: [String] = []
        @Option(help: "A file with its public keys as a JSON Web Key Set, with --method key.") var keys: String?
        @Option(help: "The SHA-256 of its certificate in hexadecimal digits, with --method certificate.")
        var certificate: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/clients"
            var publicKeys: JSONValue?
            if let keys { publicKeys = try await JSONValue(file: keys, atMost: 64 << 10) }
            let body = JSONValue.given([
                "name": .string(name), "method": .string(method), "flows": .array(flow.map { .string($0) }),
                "role": .text(role), "domain": .text(domain),
                "redirects": redirect.isEmpty ? nil : .array(redirect.map { .string($0) }),
                "scopes": scopes.isEmpty ? nil : .array(scopes.map { .string($0) }),
                "keys": publicKeys, "certificate": .text(certificate),
            ])
            show(
                try await server.send(.post, path.text, .json(body)),
                first: ["clientId", "clientSecret", "name"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the clients, without their secrets.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/clients",
                ["name", "method", "flows", "scopes", "created", "clientId"])
        }
    }

    struct Secret: AdminVerb {
        static let configuration = CommandConfiguration(
            commandName: "replace-secret", abstract: "Gives a client a new secret and prints it, once.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The client's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/clients/\(id)/secret"
            show(try await server.send(.post, path.text))
        }
    }

    struct End: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Ends a client and all tokens that it has.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The client's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/clients/\(id)"
            done(try await server.send(.delete, path.text), "The client is ended.")
        }
    }
}
