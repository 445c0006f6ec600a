import ArgumentParser
import Base

/// `tidegate admin group …`
struct UserGroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "Users who hold roles together.",
        subcommands: [Create.self, List.self, Members.self, Add.self, Remove.self, Delete.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a user group.",
            discussion: "Then: tidegate admin grant create --group crew operator --domain plant --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/groups"
            show(try await server.send(.post, path.text, .json(["name": .string(name)])))
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the user groups.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(server, "/api/v1/tenants/\(tenant)/groups", ["name", "members", "created", "id"])
        }
    }

    struct Members: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the users in a group.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The group's name or identifier.") var group: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(server, "/api/v1/tenants/\(tenant)/groups/\(group)/members", ["name", "active", "id"])
        }
    }

    struct Add: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Puts a user into a group.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var member: MemberArguments

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.put, member.path.text), "\(member.user) is in \(member.group).")
        }
    }

    struct Remove: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Takes a user out of a group.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var member: MemberArguments

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.delete, member.path.text), "\(member.user) is in \(member.group) no more.")
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Deletes a user group with its grants.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The group's name or identifier.") var group: String
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/groups/\(group)"
            done(try await server.send(.delete, path.adding("reason", reason).text), "The group is deleted.")
        }
    }
}

/// The group and the user that a command is about.
struct MemberArguments: ParsableArguments {
    @Argument(help: "The group's name or identifier.") var group: String
    @Argument(help: "The user's name or identifier.") var user: String
    @Option(help: "Why, for the audit log.") var reason: String?
    @Option(help: "The tenant's slug.") var tenant: String

    /// The membership's address in the API.
    var path: AdminPath {
        let path: AdminPath = "/api/v1/tenants/\(tenant)/groups/\(group)/members/\(user)"
        return path.adding("reason", reason)
    }
}
