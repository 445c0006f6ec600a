import ArgumentParser
import Base

/// `tidegate admin share …`
struct ShareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "share",
        abstract: "Roles offered to principals of other tenants, accepted there, ending on a date.",
        subcommands: [Offer.self, List.self, Accept.self, Decline.self, End.self])

    struct Offer: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Offers a role in a tenant to another one.",
            discussion:
                "Example: tidegate admin share offer --tenant plant --to maker --holder operator --role operator --until 2027-01-01T00:00:00Z"
        )

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant that offers.") var tenant: String
        @Option(help: "The tenant that the offer is for.") var to: String
        @Option(help: "The role offered.") var role: String
        @Option(help: "The domain it counts in, by path or identifier; the whole tenant by default.") var domain:
            String?
        @Option(help: "The device, by name or identifier, instead of a domain.") var device: String?
        @Option(help: "Who may act: a built-in role there, such as operator, or the identifier of a principal there.")
        var holder: String
        @Option(help: "When it ends at the latest, such as 2027-01-01T00:00:00Z.") var until: String
        @Option(help: "Why, for the audit log; needed for a role that administers.") var reason: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/shares"
            let body = JSONValue.given([
                "to": .string(to), "holder": .string(holder), "role": .string(role), "domain": .text(domain),
                "device": .text(device), "ends": .string(until), "reason": .text(reason),
            ])
            show(try await server.send(.post, path.text, .json(body)), first: ["id"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists what a tenant gives and gets.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/shares", ["from", "to", "holder", "role", "status", "ends", "id"])
        }
    }

    struct Accept: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Accepts an offer, in the tenant that it is for.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var share: ShareArgument
        @Option(help: "Why, for the audit log; needed for a role that administers.") var reason: String?

        func act(_ server: AdminClient) async throws {
            done(
                try await server.send(.post, share.path("/accept").adding("reason", reason).text),
                "The share is accepted.")
        }
    }

    struct Decline: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Declines an offer, in the tenant that it is for.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var share: ShareArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, share.path("/decline").text), "The share is declined.")
        }
    }

    struct End: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Ends a share at once, from either side.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var share: ShareArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, share.path("/end").text), "The share is ended.")
        }
    }
}

/// The share that a command is about.
struct ShareArgument: ParsableArguments {
    @Argument(help: "The share's identifier.") var id: String
    @Option(help: "The slug of the tenant that acts.") var tenant: String

    /// The share's address in the API, and what follows it.
    func path(_ rest: String) -> AdminPath {
        let base: AdminPath = "/api/v1/tenants/\(tenant)/shares/\(id)"
        return AdminPath(stringLiteral: base.text + rest)
    }
}
