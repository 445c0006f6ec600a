import ArgumentParser
import Base

/// What devices are wanted to be, what they say they are, and what they say has happened.
extension DeviceCommand {
    struct Desired: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows what a device is wanted to be, or sets it from a JSON file.",
            discussion: """
                Example: echo '{"interval": 5}' | tidegate admin device desired meter-1 --tenant acme -

                The file is the whole document: a member that it leaves out is gone. A device that listens hears of it \
                at once, any other when it comes back.
                """)

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument
        @Argument(help: "A JSON file, or - for the standard input; without it the document is shown.")
        var file: String?
        @Option(help: "Only when this is still the present version; 0 when there is none.") var ifVersion: Int?

        func act(_ server: AdminClient) async throws {
            let path = device.path("/desired")
            guard let file else { return show(try await server.send(.get, path.text), first: ["version", "changed"]) }
            let document = try await JSONValue(file: file, atMost: 1 << 20)
            let address = path.adding("ifVersion", ifVersion.map { "\($0)" }).text
            show(try await server.send(.put, address, .json(document)), first: ["version", "changed"])
        }
    }

    struct Reported: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows what a device says of itself.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            show(try await server.send(.get, device.path("/reported").text), first: ["version", "changed"])
        }
    }

    struct Events: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists what a device says has happened to it, the newest first.",
            discussion: "Example: tidegate admin device events meter-1 --tenant acme --from 2026-01-01T00:00:00Z")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument
        @Option(help: "From this moment on.") var from: String?
        @Option(help: "Until before this moment.") var to: String?
        @Option(help: "How many at most.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            try await list(
                server, device.path("/events").adding("from", from).adding("to", to),
                ["time", "severity", "code", "text", "details"], limit: limit)
        }
    }
}
