import Access
import ArgumentParser
import Base
import Foundation
import Logging
import ServiceLifecycle

/// `tidegate demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Runs a server with a removable demo tenant whose simulated devices enrol and report for real.")

    @OptionGroup var options: ServeOptions
    @Option(help: "How many devices.") var devices = 50
    @Option(help: "Seconds between two readings of a device.") var interval = 5

    func run() async throws {
        try await Startup.run {
            guard (1...100_000).contains(devices), (1...3600).contains(interval) else {
                throw ConfigurationError("--devices is 1 to 100000, --interval 1 to 3600 seconds")
            }
            let configuration = try options.configuration()
            let logger = Startup.logger(configuration)
            let directory = try DataDirectory.open(options.data)
            try await configuration.listeners.areFree()
            let parts = try await ServerParts.open(configuration, directory: directory.path, logger: logger)
            let server = try RunningServer(parts)
            let token = try await prepare(parts)
            let fleet = DemoFleet(server: server, devices: devices, interval: .seconds(interval), logger: logger)
            let words = try await FirstRun.prepare(parts)
            let greeting = Greeting(server) { [path = directory.path] in
                Startup.greet(configuration, directory: path)
                Self.explain(configuration, directory: path, token: token, devices: devices)
                Self.lead(words, to: configuration.listeners.people.port)
            }
            try await Startup.serve(server.services + [fleet, greeting], logger: logger)
            await parts.close()
            _ = consume directory
        }
    }

    /// The demo tenant, made at the first start, and a token that reads it.
    private func prepare(_ parts: ServerParts) async throws -> String {
        let tenant: Tenant
        do {
            tenant = try await parts.access.makeDemo()
        } catch let refusal as Refusal where refusal.code == "demo.taken" {
            throw ConfigurationError("there is a tenant `demo` that is no demo; choose another data directory")
        }
        let name = "demo \(WallClock.system.now.rfc3339)"
        let day = WallClock.system.now + .seconds(86_400)
        return try await parts.access.createToken(
            role: "viewer", name: name, expires: day, tenant: tenant.id, by: .localAdministrator
        ).secret
    }

    /// How a person gets to see the meters in the console.
    private static func lead(_ words: String?, to port: Int) {
        let warning =
            "The browser warns, because the certificate is the server's own: go on. /certificate says more about it."
        if let words {
            Startup.say(
                """

                \(words)

                Its page offers the organisation Demo: keep it, and the console shows you the meters. An organisation of
                another name begins empty. \(warning)

                """)
        } else {
            Startup.say("\nThe console: https://localhost:\(port)\n\(warning)\n")
        }
    }

    private static func explain(_ configuration: Configuration, directory: String, token: String, devices: Int) {
        let people = configuration.listeners.people.port
        let (tidegate, directory) = (Program.command, Program.quoted(directory))
        let curl = "curl -s --cacert \(directory)/trust/server-ca.pem -H 'Authorization: Bearer \(token)'"
        let base = "https://localhost:\(people)/api/v1/tenants/demo"
        Startup.say(
            """

            A demo tenant `demo` with \(devices) simulated meters, which enrol now and then report. Try, in another terminal:

            the devices:
              \(curl) '\(base)/devices?limit=5'
            the last readings of one:
              \(curl) "\(base)/devices/meter-1/telemetry?series=power,voltage&from=$(date -u -d '-5 min' +%FT%TZ)&to=$(date -u -d '+1 min' +%FT%TZ)"
            the same as it happens:
              \(curl) -N '\(base)/devices/meter-1/telemetry/live'
            who did what, and that nobody has changed the record:
              \(tidegate) admin --data \(directory) audit list --tenant demo
              \(tidegate) verify audit --data \(directory)
            take a device's access away:
              \(tidegate) admin --data \(directory) device revoke meter-2 --tenant demo
            remove the demo for good, with whoever signed up in it:
              \(tidegate) admin --data \(directory) tenant delete demo --confirm demo

            The token reads the demo tenant for a day. Stop with Ctrl-C.
            """)
    }
}
