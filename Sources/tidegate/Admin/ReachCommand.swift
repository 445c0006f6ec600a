import ArgumentParser
import Base

/// `tidegate admin reach …`
struct ReachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reach", abstract: "Who can reach what, and what a change would do to it.",
        subcommands: [Show.self, Devices.self, Preview.self])

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists who can reach a device or domain, or what a principal can reach.",
            discussion: "Example: tidegate admin reach show --device press-7 --tenant acme")

        @OptionGroup var options: AdminOptions
        @Option(help: "The device's name or identifier.") var device: String?
        @Option(help: "The domain's path or identifier.") var domain: String?
        @Option(help: "The principal's name or identifier.") var principal: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func validate() throws {
            guard [device, domain, principal].compactMap({ $0 }).count == 1 else {
                throw ValidationError("Give one of --device, --domain and --principal.")
            }
        }

        func act(_ server: AdminClient) async throws {
            let path: AdminPath =
                if let device {
                    "/api/v1/tenants/\(tenant)/devices/\(device)/reach"
                } else if let domain {
                    "/api/v1/tenants/\(tenant)/domains/\(domain)/reach"
                } else {
                    "/api/v1/tenants/\(tenant)/principals/\(principal ?? "")/reach"
                }
            try await list(
                server, path, ["name", "tenant", "role", "via", "group", "domain", "device", "until", "principal"])
        }
    }

    struct Devices: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the devices that a principal can see.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The principal's name or identifier.") var principal: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/principals/\(principal)/devices", ["name", "status", "id"])
        }
    }

    struct Preview: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Says who would lose and who would gain by moving a device or domain; nothing is moved.",
            discussion: "Example: tidegate admin reach preview --device press-7 --to office --tenant acme")

        @OptionGroup var options: AdminOptions
        @Option(help: "The device's name or identifier.") var device: String?
        @Option(help: "The domain's path or identifier.") var domain: String?
        @Option(help: "Where it would go, a domain's path or identifier.") var to: String
        @Option(help: "The tenant's slug.") var tenant: String

        func validate() throws {
            guard (device == nil) != (domain == nil) else { throw ValidationError("Give --device or --domain.") }
        }

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/reach/preview"
            let body: JSONValue =
                if let device {
                    ["moveDevice": ["device": .string(device), "to": .string(to)]]
                } else {
                    ["moveDomain": ["domain": .string(domain ?? ""), "to": .string(to)]]
                }
            show(try await server.send(.post, path.text, .json(body)), first: ["losing", "gaining"])
        }
    }
}

/// `tidegate admin move …`
struct MoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Moves of devices and domains, which can be undone.",
        subcommands: [List.self, Undo.self])

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the moves.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/moves", ["made", "kind", "object", "from", "to", "undone", "id"])
        }
    }

    struct Undo: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Moves a device or domain back to where it was.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The move's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/moves/\(id)/undo"
            done(try await server.send(.post, path.text), "The move is undone.")
        }
    }
}
