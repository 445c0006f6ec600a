import ArgumentParser
import Base

/// `tidegate admin change …`
struct ChangeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change", abstract: "Changes of security settings that wait for a second approver.",
        subcommands: [List.self, Show.self, Approve.self, Reject.self, Policy.self])

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the changes.")

        @OptionGroup var options: AdminOptions
        @Option(help: "Only those of this status, such as proposed.") var status: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/changes"
            try await list(
                server, path.adding("status", status), ["kind", "status", "reason", "proposer", "expires", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows a change, what it is about now, and what that was when it was proposed.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The change's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/changes/\(id)"
            show(try await server.send(.get, path.text), first: ["change", "now"])
        }
    }

    struct Approve: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Approves a change, which is made by it.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The change's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/changes/\(id)/approve"
            done(try await server.send(.post, path.text), "The change is approved and made.")
        }
    }

    struct Reject: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Turns a change down.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The change's identifier.") var id: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/changes/\(id)/reject"
            done(try await server.send(.post, path.text), "The change is turned down.")
        }
    }

    struct Policy: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows or decides whether changes of security need a second approver.",
            discussion: "Example: tidegate admin change policy --second yes --reason \"four eyes\" --tenant acme")

        @OptionGroup var options: AdminOptions
        @Option(help: "yes or no; without it the policy is shown.") var second: Choice?
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        /// The answer to a question of policy.
        enum Choice: String, ExpressibleByArgument {
            case yes, no
        }

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/approval-policy"
            guard let second else { return show(try await server.send(.get, path.text), first: ["needsSecond"]) }
            let body = JSONValue.given(["needsSecond": .bool(second == .yes), "reason": .text(reason)])
            show(try await server.send(.put, path.text, .json(body)), first: ["needsSecond"])
        }
    }
}
