import ArgumentParser
import Base

/// `tidegate admin alert …`
struct AlertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert", abstract: "Who is late and silent, what failed, what ends soon.",
        subcommands: [List.self, Show.self, Acknowledge.self, Silence.self])

    private static let first = [
        "summary", "severity", "condition", "domain", "opened", "devices", "missing", "acknowledgedBy", "note",
        "silencedUntil", "closed", "reason",
    ]

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the alerts, the newest first.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Flag(help: "Closed ones instead of open ones.") var closed = false
        @Option(help: "Only those that say this: late, silent, taskFailed, certificateExpiring or campaignPaused.")
        var condition: String?
        @Option(help: "Only those as bad as this, or worse: notice, warning or critical.") var severity: String?
        @Option(help: "At most so many.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alerts"
            try await list(
                server,
                path.adding("open", closed ? "false" : "true").adding("condition", condition)
                    .adding("severity", severity),
                ["id", "severity", "summary", "opened", closed ? "closed" : "acknowledgedBy", "told"], limit: limit)
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows an alert, with the first devices that it is about.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The alert.") var alert: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alerts/\(alert)"
            show(try await server.send(.get, path.text), first: AlertCommand.first)
        }
    }

    struct Acknowledge: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Says that you take care of an alert: nobody else is told of it.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The alert.") var alert: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "What others should know.") var note: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alerts/\(alert)/acknowledge"
            show(
                try await server.send(.post, path.text, .json(.given(["note": .text(note)]))),
                first: AlertCommand.first)
        }
    }

    struct Silence: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Silences an alert until a moment, and what happens at the same place again until then.",
            discussion: "Example: tidegate admin alert silence 01a0… --until 2027-01-15T06:00:00Z --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The alert.") var alert: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Until when, as RFC 3339; without it the silence ends.") var until: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alerts/\(alert)/silence"
            let body: JSONValue = ["until": until.map { .string($0) } ?? .null]
            show(try await server.send(.post, path.text, .json(body)), first: AlertCommand.first)
        }
    }
}
