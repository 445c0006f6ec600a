import ArgumentParser
import Base

/// `tidegate admin desired …`
struct DesiredCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "desired", abstract: "What devices are wanted to be, in layers.",
        discussion: """
            A device gets the layers of its model, of its domain and those above, and its own, merged: objects member by \
            member, everything else replaced by the nearer layer; null takes away what the layers above say.
            """,
        subcommands: [Show.self, Set.self, Preview.self, Members.self, Edit.self, Edits.self])

    /// Where a layer is.
    struct Place: ParsableArguments {
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "A model, by name or identifier.") var model: String?
        @Option(help: "A domain, by path or identifier.") var domain: String?
        @Option(help: "A device, by name or identifier.") var device: String?

        func validate() throws {
            guard [model, domain, device].compactMap(\.self).count == 1 else {
                throw ValidationError("Name a model, a domain or a device with --model, --domain or --device.")
            }
        }

        var path: AdminPath {
            if let model { return "/api/v1/tenants/\(tenant)/models/\(model)/desired" }
            if let domain { return "/api/v1/tenants/\(tenant)/domains/\(domain)/desired" }
            return "/api/v1/tenants/\(tenant)/devices/\(device ?? "")/desired"
        }
    }

    static let first = ["version", "changed"]

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows what one layer says.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var place: Place

        func act(_ server: AdminClient) async throws {
            let path = place.device == nil ? place.path.text : place.path.text + "/own"
            show(try await server.send(.get, path), first: DesiredCommand.first)
        }
    }

    struct Set: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Sets what one layer says, from a JSON file.",
            discussion: """
                Example: echo '{"interval": 60}' | tidegate admin desired set --domain plants/north --tenant acme -

                The file is the whole layer. {"$secret": "set"} in place of a secret keeps it.
                """)

        @OptionGroup var options: AdminOptions
        @OptionGroup var place: Place
        @Argument(help: "A JSON file, or - for the standard input.") var file: String
        @Option(help: "Only when this is still the present version of the layer; 0 when there is none.")
        var ifVersion: Int?

        func act(_ server: AdminClient) async throws {
            let document = try await JSONValue(file: file, atMost: 1 << 20)
            // Of a device this is its own layer; what comes of that has a version of its own.
            let condition = place.device == nil ? "ifVersion" : "ifLayer"
            let address = place.path.adding(condition, ifVersion.map { "\($0)" }).text
            show(try await server.send(.put, address, .json(document)), first: DesiredCommand.first + ["layer"])
        }
    }

    struct Preview: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows what would change for which devices if a layer said what is in a JSON file.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var place: Place
        @Argument(help: "A JSON file, or - for the standard input.") var file: String

        func act(_ server: AdminClient) async throws {
            let document = try await JSONValue(file: file, atMost: 1 << 20)
            show(
                try await server.send(.post, place.path.text + "/preview", .json(document)),
                first: ["devices", "changing", "broken"])
        }
    }

    struct Members: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows member by member what a device is wanted to be, which layer says it, and what it reports.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            show(
                try await server.send(.get, device.path("/desired/members").text),
                first: ["version", "changed", "drift"])
        }
    }
}
