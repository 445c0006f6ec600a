import ArgumentParser
import Base
import NIOCore

/// `tidegate admin device …`
struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Devices: register, find, change, keep out.",
        subcommands: [
            Register.self, Bulk.self, Export.self, List.self, Show.self, Suspend.self, Resume.self, Revoke.self,
            Delete.self, Replace.self, Token.self, AccessToken.self, Desired.self, Reported.self, Events.self,
        ])

    struct Register: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Registers a device and prints the token with which it enrols, once.",
            discussion: "Example: tidegate admin device register meter-1 --tenant acme --identifier serial=A-1007")

        @OptionGroup var options: AdminOptions
        @Argument(help: "Its name, unique in the tenant.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Its model, by name or identifier.") var model: String?
        @Option(help: "Its domain, by path or identifier; the root by default.") var domain: String?
        @Option(help: "A label, key=value; may be given again.") var label: [KeyAndValue] = []
        @Option(help: "What the maker put into it, such as serial=A-1007; may be given again.")
        var identifier: [KeyAndValue] = []

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/devices"
            let identifiers = identifier.map {
                JSONValue.object(["kind": .string($0.key), "value": .string($0.value)])
            }
            let body = JSONValue.given([
                "name": .string(name), "model": .text(model), "domain": .text(domain),
                "labels": label.isEmpty ? nil : label.json,
                "identifiers": identifiers.isEmpty ? nil : .array(identifiers),
            ])
            show(try await server.send(.post, path.text, .json(body)), first: ["id", "name", "enrolmentToken"])
        }
    }

    struct Bulk: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Registers up to 100,000 devices from a CSV or JSON file: all of them, or none.",
            discussion: """
                Example: tidegate admin device bulk devices.csv --tenant acme > tokens.json

                The first line of a CSV names its columns: name is needed; model, domain, label.KEY, serial, imei and \
                more are not. The answer holds each device's enrolment token, once.
                """)

        @OptionGroup var options: AdminOptions
        @Argument(help: "A file that ends in .csv or .json, or - for the standard input.") var file: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "csv or json, when the name does not say it.") var format: String?

        func validate() throws {
            guard let format = format ?? file.split(separator: ".").last.map(String.init),
                ["csv", "json"].contains(format.lowercased())
            else { throw ValidationError("say with --format whether the file is csv or json") }
        }

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/devices/bulk"
            let format = format ?? file.split(separator: ".").last.map(String.init) ?? ""
            let mediaType = format.lowercased() == "csv" ? "text/csv" : "application/json"
            try await server.stream(.post, path.text, .file(file, mediaType: mediaType)) { bytes in
                try AdminOutput.bytes(bytes)
            }
        }
    }

    struct Export: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Writes all devices as CSV, or as JSON lines.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Which devices, such as 'status = active and label.site = Berlin'.") var filter: String?

        func act(_ server: AdminClient) async throws {
            let base: AdminPath = "/api/v1/tenants/\(tenant)/devices/export"
            let path = base.adding("filter", filter).adding("format", options.json ? "ndjson" : "csv")
            try await server.stream(.get, path.text, accept: "*/*") { bytes in try AdminOutput.bytes(bytes) }
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists devices.",
            discussion: "Example: tidegate admin device list --tenant acme --filter 'not online' --sort -lastSeen")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Which devices, such as 'status = active and label.site = Berlin'.") var filter: String?
        @Option(help: "name, created or lastSeen; with - before it the other way round.") var sort: String?
        @Option(help: "How many at most.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            let base: AdminPath = "/api/v1/tenants/\(tenant)/devices"
            try await list(
                server, base.adding("filter", filter).adding("sort", sort),
                ["name", "status", "presence.online", "presence.lastSeen", "modelName", "id"], limit: limit)
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a device.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws { show(try await server.send(.get, device.path("").text)) }
    }

    struct Suspend: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Keeps a device out until it is resumed, and closes its connections.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, device.path("/suspend").text), "\(device.name) is suspended.")
        }
    }

    struct Resume: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lets a suspended device in again.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, device.path("/resume").text), "\(device.name) is let in again.")
        }
    }

    struct Revoke: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Keeps a device out for good: ends its credentials and closes its connections.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.post, device.path("/revoke").text), "\(device.name) is revoked.")
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Deletes a device.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.delete, device.path("").text), "\(device.name) is deleted.")
        }
    }

    struct Replace: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Puts a new unit in a broken device's place, which keeps its name and series.",
            discussion: "Example: tidegate admin device replace meter-1 --tenant acme --identifier serial=B-2001")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument
        @Option(help: "What the maker put into the new unit, such as serial=B-2001; may be given again.")
        var identifier: [KeyAndValue] = []

        func act(_ server: AdminClient) async throws {
            let identifiers = identifier.map {
                JSONValue.object(["kind": .string($0.key), "value": .string($0.value)])
            }
            let body: JSONValue = ["identifiers": .array(identifiers)]
            show(
                try await server.send(.post, device.path("/replace").text, .json(body)),
                first: ["id", "name", "enrolmentToken"])
        }
    }

    struct Token: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a new enrolment token for a device in place of its old one.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            show(
                try await server.send(.post, device.path("/enrolment-token").text, .json([:])),
                first: ["id", "enrolmentToken"])
        }
    }

    struct AccessToken: AdminVerb {
        static let configuration = CommandConfiguration(
            commandName: "access-token",
            abstract: "Makes an access token, the weaker credential, for a device whose model allows it.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var device: DeviceArgument

        func act(_ server: AdminClient) async throws {
            show(
                try await server.send(.post, device.path("/access-token").text, .json([:])),
                first: ["id", "accessToken"])
        }
    }
}

/// The device that a command is about.
struct DeviceArgument: ParsableArguments {
    @Argument(help: "The device's name or identifier.") var name: String
    @Option(help: "The tenant's slug.") var tenant: String

    /// The device's address in the API, and what follows it.
    func path(_ rest: String) -> AdminPath {
        let base: AdminPath = "/api/v1/tenants/\(tenant)/devices/\(name)"
        return AdminPath(stringLiteral: base.text + rest)
    }
}
