import Agent
import Glibc
import NIOPosix
import UnixSignals

/// The program on the device; docs/agent.md says how it is set up.
@main
struct TidegateAgent {
    static let version = "0.1.0"
    static let usage = """
        tidegate-agent [--config FILE] [run | check | reset-pin | --version]

          run        call the server for ever (the default)
          check      say whether the settings can be understood
          reset-pin  forget which server this device belongs to and by which keys it signs; the next run pins both anew

        FILE is /etc/tidegate-agent/agent.conf when nothing else is said.

        """

    static func main() async {
        var file = "/etc/tidegate-agent/agent.conf"
        var verb = "run"
        var arguments = CommandLine.arguments.dropFirst()
        while let argument = arguments.popFirst() {
            switch argument {
            case "--config":
                guard let value = arguments.popFirst() else { return end(usage, 64) }
                file = value
            case "--version": return end("tidegate-agent \(version)\n", 0)
            case "--help", "-h": return end(usage, 0)
            case "run", "check", "reset-pin": verb = argument
            default: return end(usage, 64)
            }
        }
        do {
            let settings = try AgentSettings.load(file, mayLack: verb == "run")
            switch verb {
            case "check": break
            case "reset-pin":
                try ServerPin(state: settings.state).reset()
                try MaintenanceKeyStore(state: settings.state).reset()
            default:
                umask(0o077)
                try SelfUpdate(state: settings.state).handOver(from: version)
                let group = MultiThreadedEventLoopGroup.singleton
                guard settings.missing.isEmpty else {
                    let unset = UnsetDevice(settings, version: version)
                    return try await run { try await unset.run(on: group) }
                }
                let agent = try AgentService(settings, version: version, group: group)
                try await run { await agent.run() }
            }
        } catch is CancellationError {
            // Somebody wanted it ended.
        } catch {
            end("tidegate-agent: \(error)\n", 1)
        }
    }

    /// Runs until somebody wants it ended (SIGTERM, SIGINT), or the agent wants to be started anew.
    private static func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        // Not by sigwait: the thread that main began on takes every signal once main is asynchronous, whatever was blocked.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup { group in
            group.addTask { try await body() }
            group.addTask { _ = await signals.first { _ in true } }
            // Whichever ends first, a signal's wait or the work, ends the other.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private static func end(_ text: String, _ code: CInt) {
        _ = text.withCString { write(code == 0 ? 1 : 2, $0, strlen($0)) }
        exit(code)
    }
}
