import ArgumentParser
import Base

/// `tidegate admin plan …`
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Quotas and rates that tenants have.", subcommands: [List.self, Put.self])

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the plans.")

        @OptionGroup var options: AdminOptions

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/plans",
                ["name", "devices", "tenantMessagesPerSecond", "requestsPerSecond", "rawDays", "id"])
        }
    }

    struct Put: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a plan, or changes figures of one.",
            discussion: "Example: tidegate admin plan put small --set devices=100 --set rawDays=30")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The plan's name.") var name: String
        @Option(help: "A figure, such as devices=100; may be given again.") var set: [KeyAndValue] = []

        func act(_ server: AdminClient) async throws {
            var figures: [String: JSONValue] = [:]
            for word in set {
                guard let number = Int64(word.value) else { throw AdminFailure("\(word.key) must be a whole number.") }
                figures[word.key] = .integer(number)
            }
            let path: AdminPath = "/api/v1/plans/\(name)"
            show(try await server.send(.put, path.text, .json(.object(figures))))
        }
    }
}
