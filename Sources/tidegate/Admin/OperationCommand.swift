import ArgumentParser
import Base
import NIOCore

/// `tidegate admin operation …`
struct OperationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operation", abstract: "The same task for many devices.",
        subcommands: [
            Order.self, List.self, Show.self, Tasks.self, Cancel.self, Retry.self, Pause.self, Resume.self,
        ])

    struct Order: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Orders a task for devices.",
            discussion: """
                Examples:
                  tidegate admin operation order reboot --filter "model = gateway" --tenant acme
                  tidegate admin operation order install --release 01a0… --domain plants/berlin --tenant acme
                  tidegate admin operation order changeSecret --csv passwords.csv --tenant acme

                A CSV file has a column device, and one for each member of the input that differs from device to \
                device. A file of terms is JSON, such as {"timeout": 1800, "retries": {"timedOut": 2}}.
                """)

        @OptionGroup var options: AdminOptions
        @Argument(help: "What each device is to do, such as reboot, install or custom.") var type: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "What people call it.") var title: String?
        @Option(help: "Those that match this filter.") var filter: String?
        @Flag(help: "All devices.") var all = false
        @Option(help: "Those in this domain and below.") var domain: String?
        @Option(help: "This device; again for more.") var device: [String] = []
        @Option(help: "Those in this CSV file, or - for the standard input.") var csv: String?
        @Option(help: "The release that an install brings.") var release: String?
        @Flag(help: "Let an install bring an earlier release than what a device has.") var rollback = false
        @Option(help: "A JSON file with what each device is brought, or - for the standard input.") var input: String?
        @Option(help: "A JSON file that says when, for how long and how often, or - for the standard input.")
        var terms: String?

        func validate() throws {
            let ways = [filter != nil, all, domain != nil, !device.isEmpty, csv != nil]
            guard ways.count(where: { $0 }) == 1 else {
                throw ValidationError("say which devices with one of --filter, --all, --domain, --device and --csv")
            }
            guard csv == nil || input == nil && terms == nil else {
                throw ValidationError("a CSV file brings its own input, and takes the usual terms")
            }
        }

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations"
            if let csv {
                let list: AdminPath = "/api/v1/tenants/\(tenant)/operations/list"
                let full = list.adding("type", type).adding("title", title).adding("release", release)
                var answer: [UInt8] = []
                try await server.stream(.post, full.text, .file(csv, mediaType: "text/csv")) {
                    answer += $0.readableBytesView
                }
                return show(try JSONValue(parsing: answer), first: OperationCommand.first)
            }
            let target: JSONValue =
                if let filter {
                    ["filter": .string(filter)]
                } else if let domain {
                    ["domain": .string(domain)]
                } else if all {
                    ["filter": .null]
                } else {
                    ["devices": .array(device.map { ["device": .string($0)] })]
                }
            var body = JSONValue.given([
                "type": .string(type), "title": .text(title), "release": .text(release),
            ])
            guard case .object(var members) = body else { return }
            members["target"] = target
            if rollback { members["rollback"] = true }
            if let input { members["input"] = try await JSONValue(file: input, atMost: 1 << 20) }
            if let terms { members["terms"] = try await JSONValue(file: terms, atMost: 1 << 20) }
            body = .object(members)
            show(try await server.send(.post, path.text, .json(body)), first: OperationCommand.first)
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the operations, the newest first.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Only those in this state: preparing, running, paused, finished or cancelled.") var state: String?
        @Option(help: "At most so many.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations"
            try await list(
                server, path.adding("state", state),
                ["id", "type", "title", "state", "ended", "total", "creatorName", "created"], limit: limit)
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows an operation, with how many of its tasks are in each state.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The operation.") var operation: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations/\(operation)"
            show(try await server.send(.get, path.text), first: OperationCommand.first)
        }
    }

    struct Tasks: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists an operation's tasks.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The operation.") var operation: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Only those in this state, such as failed.") var state: String?
        @Option(help: "At most so many.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations/\(operation)/tasks"
            try await list(server, path.adding("state", state), TaskCommand.columns, limit: limit)
        }
    }

    struct Cancel: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Ends what is still open of an operation.",
            discussion: "Devices that have begun are asked first; --force ends their tasks without asking.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The operation.") var operation: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Flag(help: "End what devices have begun as well.") var force = false

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations/\(operation)/cancel"
            show(
                try await server.send(.post, path.adding("force", force ? "true" : nil).text),
                first: OperationCommand.first)
        }
    }

    struct Retry: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Tries the failed tasks of an operation again.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The operation.") var operation: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations/\(operation)/retry"
            show(try await server.send(.post, path.text), first: OperationCommand.first)
        }
    }

    struct Pause: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Gives out nothing more of an operation; what devices have begun goes on.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The operation.") var operation: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations/\(operation)/pause"
            show(try await server.send(.post, path.text), first: OperationCommand.first)
        }
    }

    struct Resume: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lets a paused operation go on.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The operation.") var operation: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/operations/\(operation)/resume"
            show(try await server.send(.post, path.text), first: OperationCommand.first)
        }
    }

    static let first = ["id", "type", "title", "state", "ended", "total"]
}
