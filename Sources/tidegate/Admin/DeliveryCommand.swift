import ArgumentParser
import Base

/// `tidegate admin delivery …`
struct DeliveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delivery",
        abstract: "What a tenant sends out: the queue, the outbox, dead letters.",
        subcommands: [
            Status.self, List.self, Show.self, Read.self, Replay.self, ReplayAll.self, Discard.self, Test.self,
        ])

    struct Status: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows whether mail and SMS would leave, and how the queue is.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/delivery"
            show(try await server.send(.get, path.text), first: ["mail", "sms"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists deliveries, the newest first.",
            discussion: "Example: tidegate admin delivery list --tenant acme --state resting")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Only these: waiting, resting (the outbox), delivered, dead, discarded or expired.")
        var state: String?
        @Option(help: "Only these: mail, sms or webhook.") var kind: String?
        @Option(help: "How many at most.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/deliveries"
            try await list(
                server, path.adding("state", state).adding("kind", kind),
                ["created", "kind", "state", "to", "event", "attempts", "result", "due", "id"], limit: limit)
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a delivery, without what it says.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var delivery: DeliveryArgument

        func act(_ server: AdminClient) async throws { show(try await server.send(.get, delivery.path("").text)) }
    }

    struct Read: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows what a delivery says; that is recorded.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var delivery: DeliveryArgument

        func act(_ server: AdminClient) async throws {
            show(try await server.send(.get, delivery.path("/content").text), first: ["to", "subject", "text"])
        }
    }

    struct Replay: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Puts a delivery into the queue again; one that waits is tried at once.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var delivery: DeliveryArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, delivery.path("/replay").text), "The delivery is in the queue.")
        }
    }

    struct ReplayAll: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Puts dead letters, or what rests in the outbox, into the queue again.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "dead or resting.") var state: String
        @Option(help: "Only these: mail, sms or webhook.") var kind: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/delivery/replay"
            let body = JSONValue.given(["state": .string(state), "kind": .text(kind)])
            show(try await server.send(.post, path.text, .json(body)))
        }
    }

    struct Discard: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Gives a delivery up.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var delivery: DeliveryArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, delivery.path("/discard").text), "The delivery is given up.")
        }
    }

    struct Test: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Sends a test mail or SMS the way that the tenant's deliveries take.",
            discussion: "Example: tidegate admin delivery test --tenant acme --kind mail --to ada@example.org")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "mail or sms.") var kind = "mail"
        @Option(help: "The recipient.") var to: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/delivery/test"
            let body: JSONValue = ["kind": .string(kind), "to": .string(to)]
            try showTrial(try await server.send(.post, path.text, .json(body)))
        }
    }
}

extension AdminVerb {
    /// Prints how a test went; one that was not delivered fails the command, so that scripts notice.
    func showTrial(_ trial: JSONValue) throws {
        show(trial, first: ["delivered", "result"])
        guard trial["delivered"] == true else { throw ExitCode(1) }
    }
}

/// The delivery that a command is about.
struct DeliveryArgument: ParsableArguments {
    @Argument(help: "The delivery's identifier.") var id: String
    @Option(help: "The tenant's slug.") var tenant: String

    /// The delivery's address in the API, and what follows it.
    func path(_ rest: String) -> AdminPath {
        let base: AdminPath = "/api/v1/tenants/\(tenant)/deliveries/\(id)"
        return AdminPath(stringLiteral: base.text + rest)
    }
}
