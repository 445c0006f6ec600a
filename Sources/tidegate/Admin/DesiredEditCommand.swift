import ArgumentParser
import Base

/// Changes of many devices' own layers.
extension DesiredCommand {
    struct Edit: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Changes what many devices have of their own, from a JSON or CSV file.",
            discussion: """
                Example: echo '{"host": {"$generate": "gw-{number:4}"}, "key": {"$random": 24}}' \
                | tidegate admin desired edit --filter 'model = gateway' --tenant acme --preview -

                A JSON file is a merge patch of each device's own layer: null takes a member away. A CSV file (--list) has a \
                column device and one for each member, such as /net/apn; it names the devices itself.
                """)

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "The devices that match a filter.") var filter: String?
        @Option(help: "The devices in a domain and below, by path or identifier.") var domain: String?
        @Option(name: .customLong("device"), help: "A device, by name or identifier; may be given again.")
        var devices: [String] = []
        @Flag(help: "All devices.") var all = false
        @Flag(help: "The file is a CSV list that names the devices.") var list = false
        @Flag(help: "Only show what would change.") var preview = false
        @Argument(help: "A JSON file, or a CSV file with --list; - for the standard input.") var file: String

        func validate() throws {
            let ways = [filter != nil, domain != nil, !devices.isEmpty, all, list].filter(\.self).count
            guard ways == 1 else {
                throw ValidationError("Name the devices with one of --filter, --domain, --device, --all and --list.")
            }
        }

        func act(_ server: AdminClient) async throws {
            let first = preview ? ["devices", "changing", "broken"] : ["id", "total", "done", "refused"]
            let all: AdminPath = "/api/v1/tenants/\(tenant)/desired-edits"
            let address = all.text + (list ? "/list" : "") + (preview ? "/preview" : "")
            if list {
                return show(try await server.send(.post, address, .file(file, mediaType: "text/csv")), first: first)
            }
            var body: [String: JSONValue] = ["change": try await JSONValue(file: file, atMost: 1 << 20)]
            if let domain {
                body["domain"] = .string(domain)
            } else if !devices.isEmpty {
                body["devices"] = .array(devices.map { ["device": .string($0)] })
            } else {
                body["filter"] = filter.map { .string($0) } ?? .null
            }
            show(try await server.send(.post, address, .json(.object(body))), first: first)
        }
    }

    struct Edits: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists the newest edits, and how far each has come.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "How many at most.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/desired-edits",
                ["id", "created", "creator", "total", "done", "refused", "finished"], limit: limit)
        }
    }
}
