import ArgumentParser
import Base

/// `tidegate admin release-line …`
struct ReleaseLineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release-line",
        abstract: "The releases of a component, shared with another tenant: they arrive there by themselves.",
        subcommands: [Offer.self, List.self, Accept.self, Decline.self, End.self])

    struct Offer: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Offers the releases of a component to another tenant.",
            discussion: "Example: tidegate admin release-line offer gateway-os --tenant maker --to plant")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The component.") var component: String
        @Option(help: "The tenant that offers.") var tenant: String
        @Option(help: "The tenant that the offer is for.") var to: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/release-lines"
            let body: JSONValue = ["component": .string(component), "to": .string(to)]
            show(try await server.send(.post, path.text, .json(body)), first: ["id"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists what a tenant offers and what is offered to it.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/release-lines",
                ["from", "to", "component", "status", "arrived", "problem", "id"])
        }
    }

    struct Accept: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Accepts an offer, in the tenant that it is for: its releases arrive from then on.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var line: LineArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, line.path("/accept").text), "The releases arrive from now on.")
        }
    }

    struct Decline: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Declines an offer, in the tenant that it is for.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var line: LineArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, line.path("/decline").text), "The offer is declined.")
        }
    }

    struct End: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Ends a release line at once, from either side; what has arrived stays.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var line: LineArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, line.path("/end").text), "The release line is ended.")
        }
    }
}

/// The release line that a command is about.
struct LineArgument: ParsableArguments {
    @Argument(help: "The release line's identifier.") var id: String
    @Option(help: "The slug of the tenant that acts.") var tenant: String

    /// The line's address in the API, and what follows it.
    func path(_ rest: String) -> AdminPath {
        let base: AdminPath = "/api/v1/tenants/\(tenant)/release-lines/\(id)"
        return AdminPath(stringLiteral: base.text + rest)
    }
}
