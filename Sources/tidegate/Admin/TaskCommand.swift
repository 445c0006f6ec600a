import ArgumentParser
import Base

/// `tidegate admin task …`
struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "What single devices are to do.",
        subcommands: [List.self, Show.self, Cancel.self])

    static let columns = ["id", "deviceName", "type", "state", "attempt", "changed", "detail"]

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists a device's tasks, the newest first.",
            discussion: "Example: tidegate admin task list gateway-7 --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The device's name or identifier.") var device: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Only those in this state, such as running.") var state: String?
        @Option(help: "At most so many.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/devices/\(device)/tasks"
            try await list(server, path.adding("state", state), TaskCommand.columns, limit: limit)
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a task with all that was said of it.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The task.") var task: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/tasks/\(task)"
            show(try await server.send(.get, path.text), first: ["id", "deviceName", "type", "state", "attempt"])
        }
    }

    struct Cancel: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Ends a task.",
            discussion: "A device that has begun it is asked first; --force ends it without asking.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The task.") var task: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Flag(help: "End it even when the device has begun.") var force = false

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/tasks/\(task)/cancel"
            show(
                try await server.send(.post, path.adding("force", force ? "true" : nil).text),
                first: ["id", "deviceName", "type", "state"])
        }
    }
}
