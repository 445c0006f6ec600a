import Agent
import ArgumentParser
import Base
import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// `tidegate simulate`
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Lets simulated household meters enrol and report to any Tidegate server, as real devices do.",
        discussion: """
            The devices make their keys, enrol by EST, report readings over MQTT with their certificates, and renew them. \
            They keep all of it in --state, so a second run goes on with the same devices. Without --tokens they are \
            registered first, through the server's admin socket or with --url and a token that may manage devices.

            Examples:
              tidegate simulate --tenant acme --data /var/lib/tidegate --count 100
              tidegate simulate --tenant acme --server fleet.example.com --ca server-ca.pem --tokens tokens.txt
              tidegate simulate --tenant acme --url https://fleet.example.com:8443 --ca server-ca.pem --duration 60
              tidegate simulate --tenant acme --count 5000 --interval 60 --tasks --failing 3 --mute 1

            Exit codes: 0 readings were acknowledged, 1 none was, or the simulation could not begin.
            """)

    @OptionGroup var options: AdminOptions
    @Option(help: "The tenant's slug.") var tenant: String
    @Option(help: "How many devices; with --tokens all in the file by default, otherwise 10.") var count: Int?
    @Option(help: "A file with the devices' names or identifiers and enrolment tokens, `id token` in each line.")
    var tokens: String?
    @Option(help: "What the names of registered devices begin with.") var prefix = "sim-"
    @Option(help: "The server's host name; by default that of --url, or localhost.") var server: String?
    @Option(name: .customLong("device-port"), help: "The port of the device listener, for EST.") var devicePort = 8444
    @Option(name: .customLong("mqtt-port"), help: "The port of the MQTT listener.") var mqttPort = 8883
    @Option(
        name: .customLong("port-base"), help: "The --port-base that the server was started with, instead of both ports."
    )
    var portBase: Int?
    @Option(help: "The directory for keys and certificates.") var state = "./simulation"
    @Option(help: "Seconds between two readings of a device.") var interval = 5.0
    @Option(help: "Seconds until the simulation ends; it runs until Ctrl-C by default.") var duration: Double?
    @Option(
        name: .customLong("renew-after"),
        help: "Seconds after which certificates are renewed, instead of two thirds of their life.")
    var renewAfter: Double?
    @Flag(help: "Let the devices call for tasks too, at the pace of their heartbeat policy, and do them.") var tasks =
        false
    @Option(name: .customLong("task-time"), help: "Seconds that a device takes over a task.") var taskTime = 2.0
    @Option(help: "How many of a hundred devices fail at every install.") var failing = 0
    @Option(help: "How many of a hundred devices begin installs and never say what became of them.") var mute = 0

    /// Descriptors that the process needs beside its devices' connections.
    private static let spareDescriptors = 128

    func validate() throws {
        guard (1...100_000).contains(count ?? 1) else { throw ValidationError("--count is 1 to 100000") }
        guard (0.05...86_400).contains(interval) else { throw ValidationError("--interval is 0.05 to 86400 seconds") }
        guard (0.1...31_536_000).contains(duration ?? 1) else {
            throw ValidationError("--duration is 0.1 to 31536000 seconds")
        }
        guard (1...31_536_000).contains(renewAfter ?? 1) else {
            throw ValidationError("--renew-after is 1 to 31536000 seconds")
        }
        guard (0...86_400).contains(taskTime) else { throw ValidationError("--task-time is 0 to 86400 seconds") }
        guard (0...100).contains(failing), (0...100).contains(mute), failing + mute <= 100 else {
            throw ValidationError("--failing and --mute are 0 to 100, and at most 100 together")
        }
        guard (1...65_535).contains(devicePort), (1...65_535).contains(mqttPort), (1...65_532).contains(portBase ?? 1)
        else {
            throw ValidationError("ports are 1 to 65535, --port-base 1 to 65532")
        }
    }

    func run() async throws {
        var acknowledged = 0
        try await Startup.run {
            let fleet = try await prepare()
            acknowledged = try await run(fleet)
        }
        if acknowledged == 0 { throw ExitCode(1) }
    }

    // MARK: - Before the first device

    private func prepare() async throws -> SimulatedFleet {
        guard let slug = TenantSlug(tenant) else {
            throw ConfigurationError("--tenant \(tenant) is no slug: small letters, digits and dashes, such as acme")
        }
        let address = try await address()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        do {
            _ = try await ESTClient(server: address.server, group: group).authorities(of: slug.text)
        } catch {
            throw Self.explained(error, address.server, slug, address.caFile)
        }
        let state = try SimulationState(state, tenant: slug.text, authority: address.ca)
        let members = try await members(slug, state)
        // A device that calls for tasks does so over a second connection.
        try Self.raiseDescriptorLimit(to: members.count * (tasks ? 2 : 1) + Self.spareDescriptors)
        return SimulatedFleet(
            server: address.server, tenant: slug.text, members: members, interval: .seconds(interval),
            renewAfter: renewAfter.map { .seconds($0) },
            work: tasks ? SimulatedWork(time: .seconds(taskTime), failing: failing, mute: mute) : nil, state: state,
            group: group,
            logger: Logger(label: "tidegate.simulate") { _ in SwiftLogNoOpLogHandler() })
    }

    private func address() async throws -> (server: ServerAddress, ca: [UInt8], caFile: String) {
        var host = server ?? "localhost"
        if server == nil, options.data == nil, tokens == nil,
            case .https(let named, _, _, _) = try await options.target()
        {
            host = named
        }
        let caFile =
            options.ca ?? ProcessInfo.processInfo.environment["TIDEGATE_CA"]
            ?? "\(options.dataDirectory)/trust/server-ca.pem"
        guard let ca = FileManager.default.contents(atPath: caFile) else {
            throw ConfigurationError(
                "\(caFile) can not be read; name the server's CA (its trust/server-ca.pem) with --ca, or its data with --data"
            )
        }
        guard let roots = try? NIOSSLCertificate.fromPEMBytes(Array(ca)), !roots.isEmpty else {
            throw ConfigurationError("\(caFile) holds no certificate in PEM form")
        }
        let ports = portBase.map { ($0 + 1, $0 + 2) } ?? (devicePort, mqttPort)
        let address = ServerAddress(host: host, devicePort: ports.0, mqttPort: ports.1, roots: roots)
        return (address, Array(ca), caFile)
    }

    /// The devices: those of the token file, or as many as wanted, of which those that never enrolled are registered.
    private func members(_ slug: TenantSlug, _ state: SimulationState) async throws -> [SimulatedFleet.Member] {
        if let tokens {
            let all = try SimulationTokens.read(tokens)
            guard count ?? 0 <= all.count else {
                throw ConfigurationError("\(tokens) holds \(all.count) devices, fewer than --count \(count ?? 0)")
            }
            return Array(all.prefix(count ?? all.count))
        }
        guard Name(prefix + "1") != nil else {
            throw ConfigurationError("--prefix \(prefix) can not begin a name: letters, digits and ._:- only")
        }
        let names = (1...(count ?? 10)).map { "\(prefix)\($0)" }
        let enrolled = names.filter { state.isEnrolled($0) }
        let missing = Set(names).subtracting(enrolled)
        var members = enrolled.map { SimulatedFleet.Member(name: $0, enrolmentToken: nil) }
        if !missing.isEmpty {
            let client = AdminClient(try await options.target())
            do {
                members += try await SimulationTokens.register(
                    names.filter(missing.contains), in: slug.text, by: client)
            } catch let error where error is AdminRefusal || error is AdminFailure {
                throw ConfigurationError("the devices could not be registered: \(error)")
            }
        }
        return members
    }

    private static func explained(
        _ error: any Error, _ server: ServerAddress, _ slug: TenantSlug, _ ca: String
    ) -> ConfigurationError {
        let place = "\(server.host):\(server.devicePort)"
        switch error {
        case let failure as ESTClient.Failure where failure.status == 404:
            return ConfigurationError("the server at \(place) has no tenant \(slug), or EST is not spoken there")
        case is NIOSSLError, is BoringSSLError:
            let isUntrusted = "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
            return ConfigurationError(
                isUntrusted
                    ? "the certificate of \(place) does not come from \(ca); name the right CA with --ca"
                    : "no TLS connection to \(place): \(error)")
        case is ESTClient.Failure: return ConfigurationError("\(place): \(error)")
        default:
            return ConfigurationError(
                "no server answers at \(place); start one, or name it with --server, --device-port or --port-base (\(error))"
            )
        }
    }

    private static func raiseDescriptorLimit(to wanted: Int) throws {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else {
            return
        }
        guard limit.rlim_max >= wanted else {
            throw ConfigurationError(
                "so many devices need \(wanted) open files, and this process may have \(limit.rlim_max); raise `ulimit -n` or lower --count"
            )
        }
        limit.rlim_cur = rlim_t(wanted)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw ConfigurationError(
                "the limit of open files could not be raised to \(wanted): \(String(cString: strerror(errno)))")
        }
    }

    // MARK: - The run

    /// Runs the fleet to its end, and answers how many readings were acknowledged.
    private func run(_ fleet: SimulatedFleet) async throws -> Int {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let isJSON = options.json
        let counts = fleet.counts
        if !isJSON {
            Startup.say(
                "\(fleet.members.count) devices of \(tenant) report to \(fleet.server.host) every \(interval) s. Stop with Ctrl-C."
            )
        }
        let told = Told()
        let run = SimulationRun(
            fleet: fleet, duration: duration.map { .seconds($0) }, pace: .seconds(isTerminal ? 1 : 5),
            show: { progress in
                for reason in told.new(counts.reasons) { Self.complain(reason, isTerminal) }
                if isJSON { return Startup.say(progress.json.canonical) }
                isTerminal ? Self.overwrite(progress.text) : Startup.say(progress.text)
            })
        try await Startup.serve([run], logger: fleet.logger)
        if isTerminal, !isJSON { Startup.say("") }
        for reason in told.new(counts.reasons) { Self.complain(reason, false) }
        if !isJSON {
            Startup.say(
                "Done: \(counts.enrolled.value) enrolled, \(counts.renewed.value) renewed, \(counts.sent.value) readings sent, "
                    + "\(counts.acknowledged.value) acknowledged, "
                    + "\(counts.worked.value) tasks ended, \(counts.refused.value) refusals or lost connections."
            )
        }
        try? await fleet.group.shutdownGracefully()
        return Int(counts.acknowledged.value)
    }

    private static func overwrite(_ text: String) {
        StandardStream.output.write("\r\u{1B}[K\(text)")
    }

    private static func complain(_ reason: (reason: String, example: String, count: Int), _ isTerminal: Bool) {
        let start = isTerminal ? "\r\u{1B}[K" : ""
        StandardStream.error.write("\(start)tidegate: \(reason.example): \(reason.reason)\n")
    }
}

/// Which reasons of refusals have been told: each is told once.
private final class Told: Sendable {
    private let reasons = Mutex<Set<String>>([])

    func new(
        _ all: [(reason: String, example: String, count: Int)]
    ) -> [(reason: String, example: String, count: Int)] {
        reasons.withLock { told in all.filter { told.insert($0.reason).inserted } }
    }
}
