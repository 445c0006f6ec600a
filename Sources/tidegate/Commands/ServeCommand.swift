import ArgumentParser
import Base
import Foundation
import Logging
import ServiceLifecycle

/// What `serve` and `demo` have in common.
struct ServeOptions: ParsableArguments {
    @Option(
        help:
            "The data directory: database, telemetry, keys, certificates and the admin socket. Default: $TIDEGATE_DATA, or ./data."
    )
    var data = ProcessInfo.processInfo.environment["TIDEGATE_DATA"].flatMap { $0.isEmpty ? nil : $0 } ?? "./data"
    @Option(help: "The configuration file (YAML); each key is also an environment variable, see `tidegate settings`.")
    var config: String?
    @Option(
        name: .customLong("port-base"),
        help: "Moves all listeners: people to this port, the others to the next three to five.")
    var portBase: Int?

    /// File, environment and flags put together.
    func configuration() throws -> Configuration {
        var configuration = try ConfigurationReader.read(file: config, environment: ProcessInfo.processInfo.environment)
        if let portBase {
            guard (1...65_530).contains(portBase) else {
                throw ConfigurationError("--port-base must be from 1 to 65530")
            }
            configuration.listeners.move(toBase: portBase)
        }
        return configuration
    }
}

/// `tidegate serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the server; the first run makes keys, certificates and the database.")

    @OptionGroup var options: ServeOptions

    func run() async throws {
        try await Startup.run {
            let configuration = try options.configuration()
            let logger = Startup.logger(configuration)
            let directory = try DataDirectory.open(options.data)
            try await configuration.listeners.areFree()
            let parts = try await ServerParts.open(configuration, directory: directory.path, logger: logger)
            let server = try RunningServer(parts)
            let words = try await FirstRun.prepare(parts)
            let greeting = Greeting(server) { [path = directory.path] in
                Startup.greet(configuration, directory: path, words: words)
            }
            try await Startup.serve(
                server.services + [DemoFleet(server: server, logger: logger), greeting], logger: logger)
            await parts.close()
            _ = consume directory
        }
    }
}
