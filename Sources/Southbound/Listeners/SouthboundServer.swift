public import Base
public import Bus
public import Fleet
public import Logging
public import NIOCore
import NIOPosix
import NIOSSL
public import ServiceLifecycle
import Synchronization
public import Trust

/// Everything that faces devices: listens, lets in, and closes what has lost its access.
public final class SouthboundServer: Service, Sendable {
    /// Where the listeners really are.
    public struct Addresses: Sendable, Hashable {
        /// The listener for HTTP and MQTT.
        public var device: SouthboundConfiguration.Address?
        /// The listener for MQTT alone.
        public var mqtt: SouthboundConfiguration.Address?
    }

    /// The open connections of admitted devices.
    public let registry: ConnectionRegistry

    private let configuration: SouthboundConfiguration
    private let group: any EventLoopGroup
    private let contexts: TLSContexts
    private let bus: Bus
    private let logger: Logger
    private let entrance: Entrance
    private let queue: DeviceWorkQueue
    private let desk: DeviceDesk?
    private let counts: SourceCounts
    private let counters: SouthboundCounters
    private let loops: [ConnectionLoop]
    private let bound = Awaited<Addresses>()
    private let hasBegun = Atomic(false)
    private let accepts = Atomic(false)

    /// A server that has not begun; `run` begins.
    public init(
        configuration: SouthboundConfiguration, group: any EventLoopGroup, contexts: TLSContexts,
        verifier: DeviceCertificateVerifier, directory: DeviceDirectory, services: DeviceServices,
        desk: DeviceDesk?, mqttPipeline: @escaping MQTTPipeline, registry: ConnectionRegistry, bus: Bus,
        metrics: Metrics, clock: WallClock = .system, logger: Logger
    ) throws {
        self.configuration = configuration
        self.group = group
        self.contexts = contexts
        self.bus = bus
        self.logger = logger
        self.registry = registry
        let limits = configuration.limits
        let counters = SouthboundCounters(metrics)
        self.counters = counters
        counts = SourceCounts(limits: limits)
        queue = DeviceWorkQueue(
            atOnce: limits.enrolmentsAtOnce, waiting: limits.enrolmentsWaiting, sharesPlaces: true)
        self.desk = desk
        entrance = Entrance(
            check: PeerCheck(
                verifier: verifier, directory: directory, services: services, counters: counters, clock: clock,
                logger: logger),
            http: try DeviceHTTPService(
                directory: directory, registry: registry, services: services, queue: queue, limits: limits,
                counters: counters, clock: clock, logger: logger,
                ddi: desk.map { DDIService($0, limits: limits, metrics: metrics) },
                work: desk.map { WorkService($0, metrics: metrics) }),
            mqttPipeline: mqttPipeline)
        counters.show(counts, registry, entrance.http.bodies)
        loops = group.makeIterator().map { ConnectionLoop(eventLoop: $0, counters: counters) }
    }

    /// Where the server listens, once it does; throws when it can not.
    public var addresses: Addresses { get async throws { try await bound.value } }

    /// Whether the listeners accept connections now.
    public var isListening: Bool { accepts.load(ordering: .relaxed) }

    /// How many connections are open, in the handshake or after it.
    public var openConnections: Int { counts.open }

    /// Listens until the server is asked to stop, then lets requests finish for a while and closes everything.
    public func run() async throws {
        precondition(
            !hasBegun.exchange(true, ordering: .relaxed), "the program runs each service once; nothing else calls this")
        // The directory knows of an end of access before the event says so; a connection that is being let in is
        // either in the registry by now or will be refused by the directory.
        let ends = bus.subscribe(to: DeviceAccessEnded.self) { [registry] event in
            registry.end(event.device, credential: event.fingerprint)
        }
        let tenantEnds = bus.subscribe(to: TenantAccessEnded.self) { [registry] in registry.end(allOf: $0.tenant) }
        let news = desk?.news.follow(bus) ?? []
        defer { for subscription in [ends, tenantEnds] + news { subscription.cancel() } }
        let listeners: [any NIOCore.Channel]
        do {
            try await desk?.learn()
            listeners = try await listen()
        } catch {
            bound.resolve(.failure(error))
            throw error
        }
        await withTaskGroup { group in
            group.addTask { await self.queue.run() }
            group.addTask { await self.desk?.run() }
            // A cancelled task ends here too: there is no other way out of a sleep without end.
            try? await gracefulShutdown()
            await self.stop(listeners)
            self.queue.close()
            self.desk?.close()
        }
    }

    // MARK: - Listening

    private func listen() async throws -> [any NIOCore.Channel] {
        var listeners: [any NIOCore.Channel] = []
        var addresses = Addresses()
        do {
            if let address = configuration.device {
                let listener = try await listen(at: address, .device)
                listeners.append(listener)
                addresses.device = Self.address(of: listener, configured: address)
            }
            if let address = configuration.mqtt {
                let listener = try await listen(at: address, .mqtt)
                listeners.append(listener)
                addresses.mqtt = Self.address(of: listener, configured: address)
            }
        } catch {
            for listener in listeners { try? await listener.close() }
            throw error
        }
        accepts.store(true, ordering: .relaxed)
        bound.resolve(.success(addresses))
        logger.info(
            "listening for devices",
            metadata: [
                "device": "\(addresses.device?.description ?? "off")",
                "mqtt": "\(addresses.mqtt?.description ?? "off")",
            ])
        return listeners
    }

    private static func address(
        of listener: any NIOCore.Channel, configured: SouthboundConfiguration.Address
    ) -> SouthboundConfiguration.Address {
        SouthboundConfiguration.Address(
            host: listener.localAddress?.ipAddress ?? configured.host,
            port: listener.localAddress?.port ?? configured.port)
    }

    private func listen(at address: SouthboundConfiguration.Address, _ kind: ListenerKind) async throws
        -> any NIOCore.Channel
    {
        let limits = configuration.limits
        do {
            return try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: Int32(Limits.backlog))
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelInitializer { [counts] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            AcceptThrottle(perSecond: limits.acceptsPerSecond) { counts.open >= limits.connections })
                    }
                }
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_sndbuf), value: .init(Limits.kernelBytes))
                // A device may ask for no keep-alive and vanish; the kernel finds out.
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(
                        minimum: Limits.readBytes.lowerBound, initial: Limits.readBytes.lowerBound,
                        maximum: Limits.readBytes.upperBound)
                )
                .childChannelOption(
                    .writeBufferWaterMark,
                    value: .init(low: Limits.outboundBytes.lowerBound, high: Limits.outboundBytes.upperBound)
                )
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try self.admit(channel, kind) }
                }
                .bind(host: address.host, port: address.port)
                .get()
        } catch let error as IOError {
            throw Refusal.listener(
                kind.rawValue, at: "\(address)", setting: "listeners.\(kind.rawValue)", error: error.errnoCode)
        }
    }

    private struct TurnedAway: Error {}

    /// Begins the handshake of a connection that was just accepted, or turns it away.
    private func admit(_ channel: any NIOCore.Channel, _ kind: ListenerKind) throws {
        guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }),
            let address = ClientAddress(channel.remoteAddress)
        else { throw TurnedAway() }
        guard admits(address) else {
            // No goodbye: whoever comes too often costs one packet, and leaves no waiting socket behind.
            channel.cut()
            throw TurnedAway()
        }
        let connection = DeviceConnection(channel: channel, address: address, loop: loop, counts: counts)
        channel.closeFuture.assumeIsolated().whenComplete { _ in connection.release() }
        // Whoever only connects and stays silent gives way to whoever comes after.
        if loop.handshakes.count >= max(configuration.limits.handshakes / loops.count, 1) {
            counters.evicted.add()
            loop.handshakes.oldest?.cut()
        }
        loop.handshakes.append(connection)
        connection.setDeadline(in: configuration.limits.handshakeTime)
        counters.accepted.add()
        let context = kind == .mqtt ? contexts.mqtt : contexts.device
        try channel.pipeline.syncOperations.addHandlers(
            NIOSSLServerHandler(
                context: context, customVerificationCallback: entrance.check.callback(for: connection)),
            HandshakeHandler(connection: connection, loop: loop, entrance: entrance, kind: kind))
    }

    private func admits(_ address: ClientAddress) -> Bool {
        switch counts.begin(address) {
        case .admitted: return true
        case .full: counters.full.add()
        case .sourceFull: counters.sourceFull.add()
        case .sourceBusy: counters.sourceBusy.add()
        }
        return false
    }

    // MARK: - Stopping

    private func stop(_ listeners: [any NIOCore.Channel]) async {
        accepts.store(false, ordering: .relaxed)
        for listener in listeners { try? await listener.close() }
        for loop in loops { loop.eventLoop.execute { loop.drain() } }
        let clock = ContinuousClock()
        let deadline = clock.now + configuration.limits.drainTime
        while counts.open > 0, clock.now < deadline, !Task.isCancelled {
            try? await clock.sleep(for: .milliseconds(20))
        }
        if counts.open > 0 {
            logger.warning("connections cut at the end", metadata: ["count": "\(counts.open)"])
        }
        for loop in loops { try? await loop.eventLoop.submit { loop.cut() }.get() }
    }
}
