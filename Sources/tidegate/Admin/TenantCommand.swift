import ArgumentParser
import Base

/// `tidegate admin tenant …`
struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Customers, each isolated from the others.",
        subcommands: [
            Create.self, List.self, Show.self, Change.self, Suspend.self, Resume.self, Plan.self, Delete.self,
        ])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a tenant.", discussion: "Example: tidegate admin tenant create acme --name \"Acme Ltd\"")

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its short name in addresses: a-z, 0-9 and -.") var slug: String
        @Option(help: "Its name for people.") var name: String?
        @Option(help: "Its plan.") var plan: String?
        @Option(help: "The time zone in which its times are shown, such as Europe/Berlin.") var timeZone: String?

        func act(_ server: AdminClient) async throws {
            let body = JSONValue.given([
                "slug": .string(slug), "name": .text(name), "plan": .text(plan), "timeZone": .text(timeZone),
            ])
            show(try await server.send(.post, "/api/v1/tenants", .json(body)), first: ["id", "slug", "name"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the tenants.")

        @OptionGroup var options: AdminOptions

        func act(_ server: AdminClient) async throws {
            try await list(server, "/api/v1/tenants", ["slug", "name", "status", "plan", "created", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a tenant.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The tenant's slug.") var slug: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(slug)"
            show(try await server.send(.get, path.text), first: ["id", "slug", "name"])
        }
    }

    struct Change: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Changes a tenant's name for people, or its time zone.",
            discussion: "Example: tidegate admin tenant change acme --time-zone Europe/Berlin")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The tenant's slug.") var slug: String
        @Option(help: "Its name for people.") var name: String?
        @Option(help: "The time zone in which its times are shown.") var timeZone: String?

        func validate() throws {
            guard name != nil || timeZone != nil else { throw ValidationError("give --name or --time-zone") }
        }

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(slug)"
            let body = JSONValue.given(["name": .text(name), "timeZone": .text(timeZone)])
            show(try await server.send(.patch, path.text, .json(body)), first: ["id", "slug", "name"])
        }
    }

    struct Suspend: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Refuses a tenant's devices and people until it is resumed.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The tenant's slug.") var slug: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(slug)/suspend"
            done(try await server.send(.post, path.text), "\(slug) is suspended.")
        }
    }

    struct Resume: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lets a suspended tenant work again.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The tenant's slug.") var slug: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(slug)/resume"
            done(try await server.send(.post, path.text), "\(slug) works again.")
        }
    }

    struct Plan: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Gives a tenant another plan.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The tenant's slug.") var slug: String
        @Argument(help: "The plan's name.") var plan: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(slug)/plan"
            done(
                try await server.send(.put, path.text, .json(["plan": .string(plan)])), "\(slug) has the plan \(plan).")
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Destroys a tenant's keys and removes what it has. There is no way back.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The tenant's slug.") var slug: String
        @Option(help: "The slug once more, so that nothing is deleted by a slip.") var confirm: String

        func validate() throws {
            guard confirm == slug else { throw ValidationError("--confirm must repeat the slug: --confirm \(slug)") }
        }

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(slug)"
            done(try await server.send(.delete, path.text), "\(slug) is deleted.")
        }
    }
}
