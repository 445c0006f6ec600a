import ArgumentParser
import Base

/// `tidegate admin user …`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "People and their accounts.",
        subcommands: [
            Invite.self, List.self, Show.self, Reset.self, FactorReset.self, Disable.self, Enable.self, Sessions.self,
            SignOut.self,
        ])

    struct Invite: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes an account and the link by which somebody takes it up.",
            discussion:
                "Example: tidegate admin user invite ann@example.com --tenant acme --role operator\nThe platform's staff have --tenant platform and --role platform-admin."
        )

        @OptionGroup var options: AdminOptions
        @Argument(help: "The e-mail address.") var address: String
        @Option(help: "The person's name.") var name: String?
        @Option(help: "What they may do: viewer, operator, admin, or a role of the tenant.") var role: String
        @Option(help: "Where, a domain's path or identifier; the whole tenant by default.") var domain: String?
        @Option(help: "When it ends, such as 2027-01-01T00:00:00Z.") var until: String?
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/users"
            let body = JSONValue.given([
                "address": .string(address), "name": .text(name), "role": .string(role), "domain": .text(domain),
                "until": .text(until), "reason": .text(reason),
            ])
            show(link: try await server.send(.post, path.text, .json(body)), "The invitation is on its way by mail.")
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the accounts.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/users", ["address", "name", "status", "lastSignIn", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows an account.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var user: UserArgument

        func act(_ server: AdminClient) async throws {
            show(try await server.send(.get, user.path("").text), first: ["id", "address", "name", "status"])
        }
    }

    struct Reset: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a link to a new password, or to an invitation that was not answered.",
            discussion:
                "On the server's own machine this also helps the last administrator who can not sign in: tidegate admin user reset root@example.com --tenant acme"
        )

        @OptionGroup var options: AdminOptions
        @OptionGroup var user: UserArgument

        func act(_ server: AdminClient) async throws {
            show(link: try await server.send(.post, user.path("/link").text), "The link is on its way by mail.")
        }
    }

    struct FactorReset: AdminVerb {
        static let configuration = CommandConfiguration(
            commandName: "factor-reset",
            abstract: "Takes all factors of somebody away who has lost theirs, and ends their sessions.",
            discussion:
                "The next sign-in takes the password alone, or has them set up a new factor where one is demanded.\nExample: tidegate admin user factor-reset ann@example.com --tenant acme --reason 'lost her telephone'"
        )

        @OptionGroup var options: AdminOptions
        @OptionGroup var user: UserArgument
        @Option(help: "Why, for the audit log and for the mail that tells them.") var reason: String

        func act(_ server: AdminClient) async throws {
            let body: JSONValue = ["reason": .string(reason)]
            done(
                try await server.send(.post, user.path("/factor-reset").text, .json(body)),
                "\(user.user) has no factors any more.")
        }
    }

    struct Disable: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Signs somebody out everywhere and lets them in no more.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var user: UserArgument

        func act(_ server: AdminClient) async throws {
            done(
                try await server.send(.patch, user.path("").text, .json(["active": false])), "\(user.user) is disabled."
            )
        }
    }

    struct Enable: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lets somebody sign in again.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var user: UserArgument

        func act(_ server: AdminClient) async throws {
            done(
                try await server.send(.patch, user.path("").text, .json(["active": true])),
                "\(user.user) may sign in again.")
        }
    }

    struct Sessions: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists somebody's sessions.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var user: UserArgument

        func act(_ server: AdminClient) async throws {
            try await list(server, user.path("/sessions"), ["opened", "lastUsed", "address", "live", "id"])
        }
    }

    struct SignOut: AdminVerb {
        static let configuration = CommandConfiguration(
            commandName: "sign-out", abstract: "Ends somebody's sessions, or one of them.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var user: UserArgument
        @Option(help: "Only the session with this identifier.") var session: String?

        func act(_ server: AdminClient) async throws {
            let path = session.map { user.path("/sessions/\($0)") } ?? user.path("/sessions")
            done(try await server.send(.delete, path.text), "\(user.user) is signed out.")
        }
    }
}

/// `tidegate admin setup-link`
struct SetUpLinkCommand: AdminVerb {
    static let configuration = CommandConfiguration(
        commandName: "setup-link",
        abstract:
            "Makes the link by which the first administrator of a new server signs up; it works once, for an hour.")

    @OptionGroup var options: AdminOptions

    func act(_ server: AdminClient) async throws {
        let link = try await server.send(.post, "/api/v1/setup-link")
        done(link, link["url"]?.string ?? "")
    }
}

/// The person that a command is about.
struct UserArgument: ParsableArguments {
    @Argument(help: "The e-mail address, or the principal's name or identifier.") var user: String
    @Option(help: "The tenant's slug.") var tenant: String

    /// The account's address in the API, and what follows it.
    func path(_ rest: AdminPath) -> AdminPath {
        let base: AdminPath = "/api/v1/tenants/\(tenant)/users/\(user)"
        return AdminPath(stringLiteral: base.text + rest.text)
    }
}

extension AdminVerb {
    /// Prints the link in an answer, or that it was mailed; programs get the whole answer.
    func show(link answer: JSONValue, _ mailed: String) {
        guard let url = answer["link"]?["url"]?.string else { return done(answer, mailed) }
        done(answer, "Hand over this link; it works once, until \(answer["link"]?["expires"]?.string ?? ""):\n\(url)")
    }
}
