import Access
import Audit
import Backup
import Base
import Bus
import Console
import Fleet
import Logging
import NIOCore
import NIOSSL
import Northbound
import Operations
import ServiceLifecycle
import SignIn
import Southbound
import Storage
import Telemetry
import Trust
import Watch

/// A server with all its listeners, ready to run.
struct RunningServer: Sendable {
    let parts: ServerParts
    let southbound: SouthboundServer
    let northbound: NorthboundServer
    private let upkeep: Upkeep
    private let backups: BackupService?
    private let reports: ReportQueue
    private let probe: DatabaseProbe
    private let bulk: BulkRuns

    init(_ parts: ServerParts) throws {
        self.parts = parts
        let configuration = parts.configuration
        // Read before anybody listens, so that a certificate that is no good refuses the start.
        _ = try Self.peopleTLS(parts)
        probe = DatabaseProbe(parts.database)
        let doors = TelemetryDoors(telemetry: parts.telemetry)
        let registry = ConnectionRegistry(metrics: parts.metrics)
        let audit = parts.audit
        let refused: @Sendable (String, String, TenantID?) -> Void = { audit.refuse(source: $0, code: $1, tenant: $2) }
        var limits = SouthboundLimits()
        limits.connections = configuration.maximumConnections
        reports = ReportQueue(
            limits: limits, metrics: parts.metrics, logger: parts.logger,
            keep: { [fleet = parts.fleet] group throws(Refusal) in try await fleet.keep(group) })
        let https = HTTPTelemetry(directory: parts.fleet.directory, doors: doors)
        let deviceServices = Self.deviceServices(parts, https)
        let desk = DeviceDesk(
            directory: parts.fleet.directory, services: deviceServices, limits: limits, metrics: parts.metrics,
            logger: parts.logger)
        let mqtt = MQTTService(
            directory: parts.fleet.directory, presence: parts.fleet.presence, doors: doors,
            reports: reports, desk: desk, registry: registry, bus: parts.bus, metrics: parts.metrics,
            calls: .init(refused: refused))
        let layout = DataLayout(parts.directory)
        let maker = Backups(
            database: parts.database, layout: layout, audit: audit, deployment: parts.authorities.deployment,
            program: Program.version, logger: parts.logger)
        backups = configuration.backups(in: layout).map {
            BackupService(
                maker, directory: $0, keysIn: configuration.backupKeys,
                every: .seconds(Int64(configuration.backupEveryHours) * 3600), keep: configuration.backupsKept,
                logger: parts.logger)
        }
        let contexts = try TLSContexts(
            parts.authorities.serverCertificate(for: "device", names: parts.serverNames))
        southbound = try SouthboundServer(
            configuration: SouthboundConfiguration(
                device: .init(host: configuration.listeners.device.host, port: configuration.listeners.device.port),
                mqtt: .init(host: configuration.listeners.mqtt.host, port: configuration.listeners.mqtt.port),
                limits: limits),
            group: parts.deviceGroup, contexts: contexts, verifier: parts.verifier, directory: parts.fleet.directory,
            services: deviceServices, desk: desk, mqttPipeline: { mqtt.install(on: $0, identity: $1) },
            registry: registry, bus: parts.bus, metrics: parts.metrics, logger: parts.logger)
        var people = NorthboundConfiguration(
            people: .init(host: configuration.listeners.people.host, port: configuration.listeners.people.port),
            programs: configuration.listeners.programs.map { .init(host: $0.host, port: $0.port) },
            adminSocket: "\(parts.directory)/admin.sock",
            metrics: .init(host: configuration.listeners.metrics.host, port: configuration.listeners.metrics.port),
            tls: { try Self.peopleTLS(parts) })
        people.platform = configuration.listeners.platform.map { .init(host: $0.host, port: $0.port) }
        people.trustedProxies = TrustedProxies(configuration.trustedProxies)
        var services = Self.peopleServices(parts, maker, southbound, probe)
        let console = ConsoleParts(parts, gatekeeper: services.gatekeeper)
        bulk = console.bulk
        services.site = try Console(console).site
        northbound = try NorthboundServer(services: services, configuration: people, logger: parts.logger)
        parts.fleet.heartbeats.register(in: parts.metrics)
        parts.watch.register(in: parts.metrics)
        parts.metrics.gauge(
            "tidegate_telemetry_log_failing", "1 while readings can not be stored, so that none is acknowledged."
        ) { [telemetry = parts.telemetry] in telemetry.failure == nil ? 0 : 1 }
        parts.metrics.gauge("tidegate_signin_waiting", "Sign-ins that wait for a password to be checked.") {
            [hashing = parts.signIn.hashing] in Double(hashing.waiting)
        }
        parts.metrics.counter("tidegate_signin_passwords_total", "Passwords' hashes computed.") {
            [hashing = parts.signIn.hashing] in Double(hashing.computations)
        }
        upkeep = Upkeep(parts: parts, contexts: contexts, people: northbound, mqtt: mqtt, console: console)
    }

    /// Whether all listeners accept connections.
    var isListening: Bool { southbound.isListening && northbound.isListening }

    /// All services in the order of their start; they end in the reverse order, so that listeners close before what
    /// they write to.
    var services: [any Service] {
        [
            parts.audit, parts.verification, parts.delivery, SignInService(parts.signIn, logger: parts.logger),
            parts.fleet.presence, parts.fleet.heartbeats, DesiredWorker(parts.fleet, logger: parts.logger),
            parts.telemetry,
            reports, probe, upkeep, bulk, TaskClock(parts.operations, logger: parts.logger),
            LineCourier(parts.operations, logger: parts.logger),
            WatchService(parts.watch, logger: parts.logger),
        ] + [backups].compactMap { $0 } + [
            southbound, northbound,
        ]
    }

    private static func deviceServices(_ parts: ServerParts, _ https: HTTPTelemetry) -> DeviceServices {
        let (issuing, access, database) = (parts.issuing, parts.access, parts.database)
        return DeviceServices(
            fleet: parts.fleet, audit: parts.audit,
            certificates: { slug in
                guard let slug, let tenant = access.directory.tenant(slug) else {
                    throw Refusal(.notFound, "tenant.unknown", "There is no such tenant.")
                }
                return try await database.tenant(tenant.id).read { try issuing.certificates(of: tenant.id, in: $0) }
            },
            telemetry: { https.take($0) }, operations: parts.operations)
    }

    private static func peopleServices(
        _ parts: ServerParts, _ backups: Backups, _ southbound: SouthboundServer,
        _ probe: DatabaseProbe
    ) -> NorthboundServices {
        let (telemetry, fleet) = (parts.telemetry, parts.fleet)
        let archives = parts.configuration.backups(in: DataLayout(parts.directory))
        let keys = parts.configuration.backupKeys
        let services = NorthboundServices(
            database: parts.database, access: parts.access, audit: parts.audit, delivery: parts.delivery, fleet: fleet,
            telemetry: telemetry, operations: parts.operations, watch: parts.watch,
            signIn: parts.signIn, factors: parts.factors, directories: parts.directories, oauth: parts.oauth,
            keyRing: parts.keyRing, authorities: parts.authorities, metrics: parts.metrics, version: Program.version,
            auditDirectory: "\(parts.directory)/audit",
            readiness: {
                (southbound.isListening ? [] : ["the device and mqtt listeners are not open"])
                    + [probe.failure].compactMap { $0 }
                    + (telemetry.failure.map { ["telemetry can not be stored: \($0)"] } ?? [])
            },
            isDomainUsed: { try fleet.hasDevices(in: $0, $1) },
            backup: { principal in
                guard let archives else { throw NorthboundServices.noBackups }
                try await telemetry.flush()
                return try await backups.create(in: archives, keysIn: keys, by: principal.actor(in: .platform)).json
            })
        parts.bus.subscribe(to: CredentialsEnded.self) { services.doubt($0.principal, of: $0.tenant) }
        return services
    }

    private static func peopleTLS(_ parts: ServerParts) throws -> TLSConfiguration {
        let certificate: ServerCertificate
        if let chain = parts.configuration.peopleCertificate, let key = parts.configuration.peopleKey {
            certificate = try ServerCertificate.load(certificateFile: chain, keyFile: key, now: WallClock.system.now)
        } else {
            certificate = try parts.authorities.serverCertificate(for: "people", names: parts.serverNames)
        }
        return TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.chainPEM.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(certificate.keyPEM.utf8), format: .pem)))
    }
}

extension ConsoleParts {
    /// The console's parts in a running server.
    fileprivate init(_ parts: ServerParts, gatekeeper: Gatekeeper) {
        let listeners = parts.configuration.listeners
        self.init(
            database: parts.database, access: parts.access, audit: parts.audit, fleet: parts.fleet,
            telemetry: parts.telemetry, operations: parts.operations, watch: parts.watch, signIn: parts.signIn,
            factors: parts.factors, directories: parts.directories,
            delivery: parts.delivery, authorities: parts.authorities, issuing: parts.issuing,
            keyRing: parts.keyRing, verifier: parts.verification, auditCodes: AuditCode.all, bus: parts.bus,
            oauth: parts.oauth,
            gatekeeper: gatekeeper,
            metrics: parts.metrics, version: Program.version,
            addresses: DeviceAddresses(
                host: parts.configuration.deployment, people: listeners.people.port, device: listeners.device.port,
                mqtt: listeners.mqtt.port),
            doors: [
                ServerDoor(.people, host: listeners.people.host, port: listeners.people.port),
                ServerDoor(.devices, host: listeners.device.host, port: listeners.device.port),
                ServerDoor(.mqtt, host: listeners.mqtt.host, port: listeners.mqtt.port),
                ServerDoor(.metrics, host: listeners.metrics.host, port: listeners.metrics.port),
            ]
                + [listeners.programs.map { ServerDoor(.programs, host: $0.host, port: $0.port) }].compactMap { $0 }
                + [listeners.platform.map { ServerDoor(.platform, host: $0.host, port: $0.port) }].compactMap { $0 },
            names: Set(parts.serverNames.texts),
            serverAuthority: { [authorities = parts.authorities] in try authorities.serverAuthorityPEM })
    }
}
