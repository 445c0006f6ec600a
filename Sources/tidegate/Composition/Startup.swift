import Base
import Foundation
import Logging
import NIOSSL
import ServiceLifecycle
import Storage
import UnixSignals

/// The steps that every command which serves shares: logging, one clear line for what stops a start, signals.
enum Startup {
    /// Runs `body`; an error becomes one line on the standard error and exit code 1.
    static func run(_ body: () async throws -> Void) async throws {
        // Whoever read the output may go; what is said then is dropped.
        signal(SIGPIPE, SIG_IGN)
        do {
            try await body()
        } catch {
            StandardStream.error.write("tidegate: \(sentence(for: error))\n")
            Foundation.exit(1)
        }
    }

    /// What happened, in a sentence for the operator.
    static func sentence(for error: any Error) -> String {
        switch error {
        case let error as ConfigurationError: error.description
        case let refusal as Refusal: sentence(of: refusal)
        case let error as StorageError: sentence(of: error)
        case is NIOSSLError, is BoringSSLError: sentence(ofTLS: "\(error)")
        default: "\(error)"
        }
    }

    /// What was refused, with what is wrong in particular: a page would list it, a line can only say it.
    private static func sentence(of refusal: Refusal) -> String {
        let said = ([refusal.message] + refusal.faults.map(\.message)).joined(separator: " ")
        return refusal.detail.map { "\(said) (\($0))" } ?? said
    }

    /// What the store says, without the place in the source that the log names.
    private static func sentence(of error: StorageError) -> String {
        error.cause.map { "\(error.message) (\(sentence(for: $0)))" } ?? error.message
    }

    /// What TLS says, without the places in the library's source that its errors name.
    private static func sentence(ofTLS text: String) -> String {
        let reasons = text.matches(of: /OPENSSL_internal:([A-Z0-9_]+)/).map { match in
            match.1.lowercased().replacing("_", with: " ")
        }
        return "TLS failed" + (reasons.isEmpty ? "" : ": " + reasons.joined(separator: ", "))
    }

    /// The program's log, on the standard error.
    static func logger(_ configuration: Configuration) -> Logger {
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        let isJSON = configuration.logFormat == .json
        let make: @Sendable (String) -> any LogHandler = { label in
            var handler: any LogHandler =
                isJSON ? JSONLogHandler(label: label) : StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        LoggingSystem.bootstrap(make)
        return Logger(label: "tidegate")
    }

    /// Says where the server is and what to do next, in one piece.
    static func greet(_ configuration: Configuration, directory: String, words: String? = nil) {
        let listeners = configuration.listeners
        let quoted = Program.quoted(directory)
        say(
            """
            tidegate \(Program.version): deployment \(configuration.deployment), data in \(directory)
              people  https://\(listeners.people)     console and API, for people and programs
              device  https://\(listeners.device)     EST, telemetry, MQTT by ALPN
              mqtt    mqtts://\(listeners.mqtt)
              metrics http://\(listeners.metrics)/metrics
            Clients trust \(directory)/trust/server-ca.pem. Next:
              \(Program.command) admin --data \(quoted) tenant create acme
            """ + (words.map { "\n\n\($0)\n" } ?? ""))
    }

    /// Prints at once, also when the output is a file or a pipe.
    static func say(_ text: String) {
        StandardStream.output.write(text + "\n")
    }

    /// Runs the services until SIGTERM or SIGINT, then lets each finish.
    static func serve(_ services: [any Service], logger: Logger) async throws {
        // A file that reaches the limit of `ulimit -f` is a full disk, which is answered and passes, and no reason to die.
        signal(SIGXFSZ, SIG_IGN)
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                .init(
                    service: $0, successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(45)
        try await ServiceGroup(configuration: configuration).run()
    }
}
