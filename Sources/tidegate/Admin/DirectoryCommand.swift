import ArgumentParser
import Base

/// `tidegate admin directory …`
struct DirectoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "directory", abstract: "Where people are known already: OpenID providers and LDAP servers.",
        subcommands: [Put.self, List.self, Show.self, Test.self, Remove.self])

    struct Put: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a directory from a JSON file, or changes the one of this name.",
            discussion: """
                Example: tidegate admin directory put corp corp.json --secret-file secret --tenant acme

                docs/directories.md says what the file holds.
                """)

        @OptionGroup var options: AdminOptions
        @OptionGroup var directory: DirectoryArgument
        @Argument(help: "A JSON file, or - for the standard input.") var file: String
        @Option(help: "A file, or -, whose first line is the client secret or the searcher's password.")
        var secretFile: String?
        @Option(help: "Why, for the audit log.") var reason: String?

        func act(_ server: AdminClient) async throws {
            guard case .object(var members) = try await JSONValue(file: file, atMost: 1 << 20) else {
                throw AdminFailure("\(file) holds no JSON object")
            }
            if let secretFile { members["secret"] = .string(try await FileBytes.firstLine(of: secretFile)) }
            if let reason { members["reason"] = .string(reason) }
            show(try await server.send(.put, directory.path.text, .json(.object(members))))
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the directories.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/directories",
                ["name", "enabled", "openid.issuer", "ldap.server", "createsAccounts", "linksAddresses", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a directory, without its secret.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var directory: DirectoryArgument

        func act(_ server: AdminClient) async throws { show(try await server.send(.get, directory.path.text)) }
    }

    struct Test: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Asks a directory whether it answers as it should, and an LDAP server for a person.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var directory: DirectoryArgument
        @Option(help: "The name that a person would type.") var user: String?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(directory.tenant)/directories/\(directory.name)/test"
            let answer = try await server.send(.post, path.text, .json(.given(["user": .text(user)])))
            if options.json {
                AdminOutput.line(answer.canonical)
            } else {
                for member in ["findings", "groups"] {
                    guard case .array(let lines) = answer[member] else { continue }
                    for line in lines { AdminOutput.line((member == "groups" ? "  " : "") + (line.string ?? "")) }
                }
            }
            if answer["works"] != true { throw ExitCode(1) }
        }
    }

    struct Remove: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Removes a directory with the roles that its groups gave; the accounts stay.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var directory: DirectoryArgument
        @Option(help: "Why, for the audit log.") var reason: String?

        func act(_ server: AdminClient) async throws {
            done(
                try await server.send(.delete, directory.path.adding("reason", reason).text),
                "The directory is removed.")
        }
    }
}

/// The directory that a command is about.
struct DirectoryArgument: ParsableArguments {
    @Argument(help: "The directory's name.") var name: String
    @Option(help: "The tenant's slug.") var tenant: String

    var path: AdminPath { "/api/v1/tenants/\(tenant)/directories/\(name)" }
}
