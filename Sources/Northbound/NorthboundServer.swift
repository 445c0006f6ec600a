import Access
import Base
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
public import Logging
public import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// The people's side of the server: the API over TLS, the same API on the administration socket, and the metrics.
public final class NorthboundServer: Service {
    /// One of the listeners.
    public enum Listener: String, CaseIterable, Sendable {
        case people, platform, programs, admin, metrics
    }

    private let configuration: NorthboundConfiguration
    private let services: NorthboundServices
    private let table: RouteTable
    private let logger: Logger
    private let channels = Mutex<[Listener: PeopleChannel]>([:])
    private let open: OpenListeners
    private let onListening: @Sendable (Listener, SocketAddress?) -> Void

    /// A server of these parts; `onListening` is told as each listener opens.
    public init(
        services: NorthboundServices, configuration: NorthboundConfiguration, logger: Logger,
        onListening: @escaping @Sendable (Listener, SocketAddress?) -> Void = { _, _ in }
    ) throws {
        if let metrics = configuration.metrics, !metrics.isLoopback {
            throw Refusal(
                .invalid, "listener.metricsNotLoopback",
                "The metrics listener speaks plain text, so it opens only on a loopback address, not on \(metrics).")
        }
        if let path = configuration.adminSocket, path.utf8.count > Self.socketPathBytes {
            throw Refusal(
                .invalid, "listener.socketPathLong",
                "The administration socket's path has \(path.utf8.count) bytes; the system allows "
                    + "\(Self.socketPathBytes). Choose a shorter data directory: \(path)")
        }
        let listeners: [(Listener, Bool)] = [
            (.people, configuration.people != nil), (.platform, configuration.platform != nil),
            (.programs, configuration.programs != nil),
            (.admin, configuration.adminSocket != nil),
            (.metrics, configuration.metrics != nil),
        ]
        let open = OpenListeners(expected: listeners.filter(\.1).map(\.0))
        var services = services
        let readiness = services.readiness
        services.readiness = { await open.missing + readiness() }
        self.open = open
        self.configuration = configuration
        self.services = services
        self.logger = logger
        self.onListening = onListening
        table = RouteTable.all(services)
    }

    /// What fits `sun_path` with its closing zero.
    private static let socketPathBytes = 107

    /// Where a listener listens, once it does.
    public func address(of listener: Listener) -> SocketAddress? { open[listener] }

    /// Whether all listeners that are configured accept connections.
    public var isListening: Bool { open.missing.isEmpty }

    /// Takes up the certificate anew, for connections from now on.
    public func reloadCertificate() throws {
        for channel in channels.withLock({ Array($0.values) }) { try channel.replace(configuration.tls()) }
    }

    /// Serves until the graceful shutdown, then lets running requests finish.
    public func run() async throws {
        try await withThrowingTaskGroup { group in
            for (listener, address) in [
                (Listener.people, configuration.people), (.platform, configuration.platform),
                (.programs, configuration.programs),
            ] {
                guard let address else { continue }
                group.addTask {
                    try await self.serve(listener, at: "\(address)") { try await self.runTLS(listener, address) }
                }
            }
            if let path = configuration.adminSocket {
                group.addTask { try await self.serve(.admin, at: path) { try await self.runAdmin(path) } }
            }
            if let address = configuration.metrics {
                group.addTask {
                    try await self.serve(.metrics, at: "\(address)") { try await self.runMetrics(address) }
                }
            }
            group.addTask { await self.pruneRepetitions() }
            // The first failure ends the others; waiting for all would hold it back until they end by themselves.
            while try await group.next() != nil {}
        }
    }

    private func runTLS(_ listener: Listener, _ address: ListenerAddress) async throws {
        let tls = try configuration.tls()
        let builder = HTTPServerBuilder { responder in
            let channel = try PeopleChannel(
                tls, asksForCertificates: listener == .programs, streams: self.bounded(listener), responder: responder)
            self.channels.withLock { $0[listener] = channel }
            return channel
        }
        let door = services.frontDoor(
            table, listener: listener, caller: .bearer, proxies: configuration.trustedProxies)
        try await application(
            door, builder, .hostname(address.host, port: address.port), listener, NorthboundLimits.connections
        ).run()
    }

    private func runAdmin(_ path: String) async throws {
        let door = services.frontDoor(table, listener: .admin, caller: .fixed(.localAdministrator))
        let builder = HTTPServerBuilder.http1(configuration: bounded(.admin))
        try await application(
            door, builder, .unixDomainSocket(path: path), .admin, NorthboundLimits.adminConnections
        ).run()
        unlink(path)
    }

    private func runMetrics(_ address: ListenerAddress) async throws {
        let responder = OperatorsRouter.make(services.metrics, readiness: services.readiness).buildResponder()
        try await application(
            responder, .http1(configuration: bounded(.metrics)), .hostname(address.host, port: address.port), .metrics,
            NorthboundLimits.metricsConnections
        ).run()
    }

    private func bounded(_ listener: Listener) -> HTTP1Channel.Configuration {
        .bounded(
            stall: configuration.stall,
            cutOff: services.metrics.counter(
                "tidegate_http_slow_peers_total",
                "Connections to people's listeners closed because the peer was too slow.",
                ["listener": listener.rawValue]))
    }

    private func application<Responder: HTTPResponder>(
        _ responder: Responder, _ builder: HTTPServerBuilder, _ address: BindAddress, _ listener: Listener,
        _ connections: Int
    ) -> Application<Responder> where Responder.Context == CallContext {
        Application(
            responder: responder, server: builder,
            configuration: ApplicationConfiguration(
                address: address, availableConnectionsDelegate: MaximumAvailableConnections(connections, logger: logger)
            ),
            onServerRunning: { channel in self.listening(listener, channel.localAddress) },
            logger: logger)
    }

    private func listening(_ listener: Listener, _ address: SocketAddress?) {
        if listener == .admin, let path = configuration.adminSocket {
            // Connecting takes the right to write, which no usual umask gives to others even before this line.
            chmod(path, 0o600)
        }
        open.opened(listener, at: address)
        onListening(listener, address)
    }

    /// Runs one listener and says in one line which address could not be opened.
    private func serve(_ listener: Listener, at place: String, _ run: () async throws -> Void) async throws {
        defer { open.closed(listener) }
        do {
            // It ends when the last request has; nothing new is let in from the beginning of the end on.
            try await withGracefulShutdownHandler {
                try await run()
            } onGracefulShutdown: { [open] in
                open.closed(listener)
            }
        } catch let error as IOError {
            let setting = listener == .admin ? "--data" : "listeners.\(listener.rawValue)"
            throw Refusal.listener(listener.rawValue, at: place, setting: setting, error: error.errnoCode)
        }
    }

    private func pruneRepetitions() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    _ = try await self.services.repetitions.prune()
                } catch {
                    self.logger.warning("Old answers could not be pruned", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(3600))
            }
        }
    }
}
