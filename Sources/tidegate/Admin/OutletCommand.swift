import ArgumentParser
import Base

/// `tidegate admin outlet …`
struct OutletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outlet",
        abstract: "Where deliveries leave: mail servers, SMS gateways, webhooks, syslog receivers.",
        subcommands: [Create.self, List.self, Show.self, Change.self, Test.self, Delete.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes an outlet in a tenant.",
            discussion: """
                Examples:
                  tidegate admin outlet create hook --tenant acme --kind webhook --set url=https://app.example/hook
                  tidegate admin outlet create siem --tenant acme --kind syslog --set host=siem.example --set port=6514

                Settings that are no text come from a JSON file with --settings; docs/delivery.md lists them all.
                """)

        @OptionGroup var options: AdminOptions
        @OptionGroup var outlet: OutletArgument
        @Option(help: "mail, sms, webhook or syslog.") var kind: String
        @OptionGroup var given: OutletOptions
        @Option(help: "Why, for the audit log; mail and sms need it.") var reason: String?

        func act(_ server: AdminClient) async throws {
            let body = JSONValue.given([
                "name": .string(outlet.name), "kind": .string(kind), "settings": try await given.read() ?? [:],
                "secret": .text(try await given.readSecret()), "reason": .text(reason),
            ])
            show(try await server.send(.post, outlet.all.text, .json(body)))
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists a tenant's outlets and how they do.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/outlets",
                ["name", "kind", "active", "failures", "pausedUntil", "lastFailure", "position", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows an outlet.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var outlet: OutletArgument

        func act(_ server: AdminClient) async throws { show(try await server.send(.get, outlet.path.text)) }
    }

    struct Change: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Changes an outlet; settings are given whole.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var outlet: OutletArgument
        @OptionGroup var given: OutletOptions
        @Option(help: "Whether it is in use: true or false.") var active: Bool?
        @Option(help: "Why, for the audit log; mail and sms need it.") var reason: String?

        func act(_ server: AdminClient) async throws {
            let body = JSONValue.given([
                "settings": try await given.read(), "secret": .text(try await given.readSecret()),
                "active": active.map { .bool($0) }, "reason": .text(reason),
            ])
            show(try await server.send(.patch, outlet.path.text, .json(body)))
        }
    }

    struct Test: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Sends a test through an outlet at once, and says how it went.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var outlet: OutletArgument
        @Option(help: "The recipient of a mail or SMS.") var to: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(outlet.tenant)/delivery/test"
            let body = JSONValue.given(["outlet": .string(outlet.name), "to": .text(to)])
            try showTrial(try await server.send(.post, path.text, .json(body)))
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Deletes an outlet; what waited for it alone is given up.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var outlet: OutletArgument
        @Option(help: "Why, for the audit log; mail and sms need it.") var reason: String?

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.delete, outlet.path.adding("reason", reason).text), "The outlet is deleted.")
        }
    }
}

/// The outlet that a command is about.
struct OutletArgument: ParsableArguments {
    @Argument(help: "The outlet's name or identifier.") var name: String
    @Option(help: "The tenant's slug.") var tenant: String

    var all: AdminPath { "/api/v1/tenants/\(tenant)/outlets" }
    var path: AdminPath { "/api/v1/tenants/\(tenant)/outlets/\(name)" }
}

/// Where and how an outlet sends, as the command line gives it.
struct OutletOptions: ParsableArguments {
    @Option(name: .customLong("set"), help: "A setting, such as url=https://app.example/hook; once for each.")
    var values: [KeyAndValue] = []
    @Option(help: "A file with the settings as JSON, or - for the standard input; --set adds to them.") var settings:
        String?
    @Option(help: "A file, or -, whose first line is the secret: password, key, or signing secret.") var secretFile:
        String?

    /// The settings, nil when none are given.
    func read() async throws -> JSONValue? {
        guard settings != nil || !values.isEmpty else { return nil }
        var members: [String: JSONValue] = [:]
        if let settings {
            guard case .object(let given) = try await JSONValue(file: settings, atMost: 1 << 20) else {
                throw AdminFailure("\(settings) holds no JSON object")
            }
            members = given
        }
        for value in values {
            // A port is a number; everything else that is given this way is text.
            members[value.key] =
                value.key == "port"
                ? Int64(value.value).map { .integer($0) } ?? .string(value.value)
                : .string(value.value)
        }
        return .object(members)
    }

    /// The secret, nil when none is given.
    func readSecret() async throws -> String? {
        guard let secretFile else { return nil }
        return try await FileBytes.firstLine(of: secretFile)
    }
}
