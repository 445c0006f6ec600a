import ArgumentParser
import Base

/// `tidegate admin alert-rule …`
struct AlertRuleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert-rule", abstract: "Who is told of which alerts.",
        discussion: "Without any rule alerts show in the console only.",
        subcommands: [List.self, Show.self, Create.self, Replace.self, Delete.self])

    private static let first = ["id", "name", "domain", "conditions", "waitSeconds", "receivers", "active"]

    /// What a rule says.
    struct Terms: ParsableArguments {
        @Option(help: "The domain whose alerts, with all below, by path or identifier; all when left out.")
        var domain: String?
        @Option(
            help:
                "Such alerts: late, silent, taskFailed, certificateExpiring or campaignPaused; again for more. All but late when left out."
        )
        var condition: [String] = []
        @Option(help: "How bad these alerts are at least: notice, warning or critical.") var severity: String?
        @Option(help: "Seconds for which an alert must stand before it is told; 60 when left out.") var wait: Int64?
        @Option(help: "By mail, who holds this role at the alert's domain; again for more.") var role: [String] = []
        @Option(help: "This mail address; again for more.") var mail: [String] = []
        @Option(help: "This telephone, by text message; again for more.") var sms: [String] = []
        @Option(help: "This webhook, by name; again for more.") var webhook: [String] = []
        @Flag(name: .customLong("no-back"), help: "Tell nobody when an alert is over.") var noBack = false
        @Flag(help: "Keep the rule, but out of use.") var disabled = false

        func body(_ name: String) -> JSONValue {
            func receivers(_ kind: String, _ values: [String]) -> [JSONValue] { values.map { [kind: .string($0)] } }
            var members: [String: JSONValue] = [
                "name": .string(name), "tellsBack": .bool(!noBack), "active": .bool(!disabled),
                "receivers": .array(
                    receivers("role", role) + receivers("mail", mail) + receivers("sms", sms)
                        + receivers("webhook", webhook)),
            ]
            members["domain"] = domain.map { .string($0) }
            if !condition.isEmpty { members["conditions"] = .array(condition.map { .string($0) }) }
            members["severity"] = severity.map { .string($0) }
            members["waitSeconds"] = wait.map { .integer($0) }
            return .object(members)
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the alert rules by name.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alert-rules"
            try await list(server, path, ["name", "conditions", "waitSeconds", "receivers", "active"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows an alert rule.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The rule's name or identifier.") var rule: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alert-rules/\(rule)"
            show(try await server.send(.get, path.text), first: AlertRuleCommand.first)
        }
    }

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a rule.",
            discussion: """
                Examples:
                  tidegate admin alert-rule create site-down --tenant acme --mail ops@example.com
                  tidegate admin alert-rule create berlin --tenant acme --domain plants/berlin --role operator --wait 300
                """)

        @OptionGroup var options: AdminOptions
        @Argument(help: "The rule's name.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String
        @OptionGroup var terms: Terms

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alert-rules"
            show(try await server.send(.post, path.text, .json(terms.body(name))), first: AlertRuleCommand.first)
        }
    }

    struct Replace: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Puts a rule in the place of what it was; what is left out is as in a new one.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The rule's name or identifier.") var rule: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "A new name.") var name: String?
        @OptionGroup var terms: Terms

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alert-rules/\(rule)"
            show(
                try await server.send(.put, path.text, .json(terms.body(name ?? rule))),
                first: AlertRuleCommand.first)
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Deletes a rule.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The rule's name or identifier.") var rule: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/alert-rules/\(rule)"
            _ = try await server.send(.delete, path.text)
            done(.null, "Deleted.")
        }
    }
}
