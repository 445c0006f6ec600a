import Access
import Base
import Blobs
import Bus
import Crypto
import Foundation
import Logging
import MQTT
import NIOCore
import NIOPosix
import NIOSSL
import Operations
import ServiceLifecycle
import Storage
import SwiftASN1
import Synchronization
import Testing
import X509

@testable import Audit
@testable import Fleet
@testable import Southbound
@testable import Telemetry
@testable import Trust

/// A fleet on a fresh database and the device side over it, listening on loopback, in the time of day that unmodified
/// clients live in.
struct SouthboundFixture: Sendable {
    static let admin = Principal.localAdministrator

    let directory: String
    let database: Database
    let fleet: Fleet
    let operations: Operations
    let access: Access
    let issuing: IssuingAuthorities
    let acme: TenantID
    let rival: TenantID
    let server: SouthboundServer
    let contexts: TLSContexts
    let authorities: CertificateAuthorities
    let metrics: Metrics
    /// The port of the device listener.
    let device: Int
    /// The port of the MQTT listener.
    let mqtt: Int
    /// What came in and went out beside the sockets.
    let record: Record
    private let stopping: ServiceGroup
    private let second: @Sendable (Int) throws -> SouthboundServer

    /// What the server's other parts would have seen and said.
    struct Record: Sendable {
        /// The telemetry that came in.
        let telemetry = Log<TelemetryRequest>()
        /// The codes of what was refused.
        let refused = Log<String>()
        /// What telemetry is answered; nil answers when the test ends.
        let answer = Setting<TelemetryAnswer?>(.accepted)
        /// Whether devices' reports find the database unable to keep them.
        let reportsFail = Setting(false)
        /// How many reports each group held that was kept.
        let groups = Log<Int>()
        /// The requests that wait for the test's end.
        let unanswered = Log<EventLoopPromise<TelemetryAnswer>>()
    }

    /// Collects what a test wants to see.
    final class Log<Element: Sendable>: Sendable {
        private let all = Mutex<[Element]>([])
        var elements: [Element] { all.withLock { $0 } }
        func append(_ element: Element) { all.withLock { $0.append(element) } }
    }

    /// A value that a test sets while the server reads it.
    final class Setting<Value: Sendable>: Sendable {
        private let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
        var current: Value {
            get { value.withLock { $0 } }
            set { value.withLock { $0 = newValue } }
        }
    }

    /// The usual limits, but for the seconds in which a client has to say something: all tests share few threads, and the
    /// clients among them may wait for theirs longer than a stranger may stay.
    static let limits: SouthboundLimits = {
        var limits = SouthboundLimits()
        (limits.handshakeTime, limits.strangerTime) = (.seconds(600), .seconds(600))
        return limits
    }()

    /// Runs `body` with a server that stops afterwards; it repeats what it hears over MQTT, or really speaks it.
    static func with(
        _ engine: TestDatabase.Engine = .sqlite, limits: SouthboundLimits = SouthboundFixture.limits, loops: Int = 1,
        speaksMQTT: Bool = false, _ body: (SouthboundFixture) async throws -> Void
    ) async throws {
        try await TestDatabase.withDirectory { directory in
            let parts = [
                TrustSchema.part, AuditSchema.part, AccessSchema.part, FleetSchema.part, TelemetrySchema.part,
                OperationsSchema.part, ReleasesSchema.part, LinesSchema.part, MaintenanceSchema.part,
                CampaignsSchema.part,
            ]
            try await engine.withDatabase(parts) { database in
                let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
                do {
                    try await run(directory, database, limits, group, speaksMQTT: speaksMQTT, body)
                } catch {
                    try? await group.shutdownGracefully()
                    throw error
                }
                try await group.shutdownGracefully()
            }
        }
    }

    private static func run(
        _ directory: String, _ database: Database, _ limits: SouthboundLimits, _ group: MultiThreadedEventLoopGroup,
        speaksMQTT: Bool, _ body: (SouthboundFixture) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let ring = try KeyRing(
            directory: "\(directory)/keys",
            columns: [IssuingAuthorities.sealedColumn, AuditSchema.personalColumn] + OperationsSchema.sealedColumns
                + FleetSchema.sealedColumns)
        let deployment = try #require(DeploymentName("fleet.example.com"))
        let authorities = try CertificateAuthorities(
            paths: AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust"), deployment: deployment)
        let issuing = IssuingAuthorities(authorities: authorities, keyRing: ring)
        let bus = Bus()
        let audit = try AuditLog(
            database: database, keyRing: ring, deployment: deployment, directory: nil, logger: logger)
        let tenants = TenantDirectory()
        let access = Access(
            database: database, audit: audit, keyRing: ring, issuing: issuing, directory: tenants,
            tenantEnded: { bus.publish(TenantAccessEnded(tenant: $0)) })
        try await access.start()
        let fleet = Fleet(
            database: database, access: access, audit: audit, keyRing: ring, bus: bus,
            certificates: DeviceCertificates(issuing: issuing), directory: DeviceDirectory(tenants: tenants),
            presence: Presence(database: database, bus: bus, logger: logger))
        let acme = try await access.createTenant(try #require(TenantSlug("acme")), by: admin).id
        let rival = try await access.createTenant(try #require(TenantSlug("rival")), by: admin).id
        try await fleet.start()
        let operations = Operations(
            database: database, access: access, audit: audit, keyRing: ring, fleet: fleet, bus: bus,
            blobs: try Blobs(directory: "\(directory)/blobs"))
        try await operations.start()

        let contexts = try TLSContexts(
            authorities.serverCertificate(for: "device", names: ServerNames(["localhost", "127.0.0.1"])))
        let verifier = DeviceCertificateVerifier()
        for anchor in try await database.platform.read({ try issuing.anchors(in: $0) }) { verifier.trust(anchor) }
        let record = Record()
        var services = DeviceServices(
            fleet: fleet, audit: audit,
            certificates: { slug in
                let tenant = try slug.map { slug in
                    guard let tenant = tenants.tenant(slug) else { throw Refusal(.notFound, "tenant.unknown", "") }
                    return tenant.id
                }
                return try await database.platform.read { transaction in
                    try issuing.certificates(of: tenant ?? TenantID(high: 0, low: 0), in: transaction)
                }
            },
            telemetry: { request in
                record.telemetry.append(request)
                if let answer = record.answer.current { return request.eventLoop.makeSucceededFuture(answer) }
                let promise = request.eventLoop.makePromise(of: TelemetryAnswer.self)
                record.unanswered.append(promise)
                return promise.futureResult
            }, operations: operations)
        services.refused = { _, code, _ in record.refused.append(code) }
        let metrics = Metrics()
        let reports = ReportQueue(
            limits: limits, pauses: .milliseconds(1)...(.milliseconds(5)), metrics: metrics, logger: logger,
            keep: { group throws(Refusal) in
                guard !record.reportsFail.current else { throw Refusal(.unavailable, "report.later", "") }
                let outcomes = try await fleet.keep(group)
                record.groups.append(group.count)
                return outcomes
            })
        let telemetry = Telemetry(
            database: database, directory: "\(directory)/telemetry", retention: .init(raw: .seconds(3650 * 86_400)),
            clock: .system, logger: logger)
        if speaksMQTT {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/telemetry", withIntermediateDirectories: true)
            try await telemetry.open()
        }
        var mqttLimits = MQTTService.limits
        mqttLimits.connectSeconds = 600
        let make = { @Sendable [services, mqttLimits] (port: Int, metrics: Metrics) in
            let registry = ConnectionRegistry(metrics: metrics)
            let desk = DeviceDesk(
                directory: fleet.directory, services: services, limits: limits, metrics: metrics, logger: logger)
            let mqtt = MQTTService(
                directory: fleet.directory, presence: fleet.presence,
                doors: TelemetryDoors(telemetry: telemetry), reports: reports, desk: desk, registry: registry, bus: bus,
                metrics: metrics, calls: .init(refused: { _, code, _ in record.refused.append(code) }),
                limits: mqttLimits)
            return try SouthboundServer(
                configuration: SouthboundConfiguration(
                    device: .init(host: "127.0.0.1", port: port), mqtt: .init(host: "127.0.0.1", port: 0),
                    limits: limits),
                group: group, contexts: contexts, verifier: verifier, directory: fleet.directory, services: services,
                desk: desk,
                mqttPipeline: { channel, identity in
                    if speaksMQTT { return mqtt.install(on: channel, identity: identity) }
                    return channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(SouthboundEcho(identity: identity))
                    }
                },
                registry: registry, bus: bus, metrics: metrics, logger: logger)
        }
        let server = try make(0, metrics)
        let stopping = ServiceGroup(services: [reports, server, TaskClock(operations, logger: logger)], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await stopping.run() }
            let addresses = try await server.addresses
            let fixture = SouthboundFixture(
                directory: directory, database: database, fleet: fleet, operations: operations, access: access,
                issuing: issuing, acme: acme,
                rival: rival, server: server, contexts: contexts, authorities: authorities, metrics: metrics,
                device: try #require(addresses.device).port, mqtt: try #require(addresses.mqtt).port, record: record,
                stopping: stopping, second: { try make($0, Metrics()) })
            defer { for promise in record.unanswered.elements { promise.succeed(.accepted) } }
            do {
                try await body(fixture)
            } catch {
                await stopping.triggerGracefulShutdown()
                throw error
            }
            await stopping.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        if speaksMQTT { try await telemetry.close() }
    }

    /// Asks the server to stop, as a signal would.
    func stop() async { await stopping.triggerGracefulShutdown() }

    /// Another server on this port of the device listener, which must not be free.
    func startSecond(on port: Int) async throws { try await second(port).run() }

    // MARK: - Devices and credentials

    func register(_ name: String, in tenant: TenantID? = nil, _ change: (inout DeviceDraft) -> Void = { _ in })
        async throws -> RegisteredDevice
    {
        var draft = DeviceDraft(name: try #require(Name(name)))
        change(&draft)
        return try await fleet.register(draft, in: tenant ?? acme, by: Self.admin)
    }

    /// A private key and a certificate, in memory and as files for programs.
    struct Credential: Sendable {
        let key: P256.Signing.PrivateKey
        let der: [UInt8]
        var certificate: NIOSSLCertificate { get throws { try NIOSSLCertificate(bytes: der, format: .der) } }
        var privateKey: NIOSSLPrivateKey {
            get throws { try NIOSSLPrivateKey(bytes: Array(key.pemRepresentation.utf8), format: .pem) }
        }

        /// Writes both and says where they are.
        func write(to directory: String, name: String) throws -> (certificate: String, key: String) {
            let (certificate, key) = ("\(directory)/\(name).pem", "\(directory)/\(name).key")
            let text = PEMDocument(type: "CERTIFICATE", derBytes: der).pemString + "\n"
            try text.write(toFile: certificate, atomically: true, encoding: .utf8)
            try (self.key.pemRepresentation + "\n").write(toFile: key, atomically: true, encoding: .utf8)
            return (certificate, key)
        }
    }

    /// Lets a device of the tenant send so many messages a second: few enough for a slow machine to send more.
    func setDeviceRate(_ rate: Int) async throws {
        var plan = try #require(fleet.directory.plan(of: acme))
        plan.deviceMessagesPerSecond = rate
        _ = try await access.putPlan(plan, by: Self.admin)
    }

    /// A registered and enrolled device's credential.
    func enrolled(
        _ name: String, in slug: String = "acme", channel: Trust.Channel = .maintenance,
        _ change: (inout DeviceDraft) -> Void = { _ in }
    ) async throws -> (RegisteredDevice, Credential) {
        let registered = try await register(name, in: slug == "rival" ? rival : acme, change)
        let key = P256.Signing.PrivateKey()
        let enrolled = try await fleet.enrol(
            tenant: TenantSlug(slug), identifier: name, token: registered.token.text, csr: try Self.request(key),
            channel: channel, address: nil)
        return (registered, Credential(key: key, der: enrolled.certificate.der))
    }

    /// A certificate request (DER) of this key.
    static func request(_ key: P256.Signing.PrivateKey) throws -> [UInt8] {
        let request = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName { CommonName("x") }, privateKey: Certificate.PrivateKey(key),
            attributes: CertificateSigningRequest.Attributes(), signatureAlgorithm: .ecdsaWithSHA256)
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }

    /// A certificate signed by the tenant's own issuing CA, but with what the test wants to be wrong.
    func forged(
        names: [GeneralName], usage: ExtendedKeyUsage.Usage = .clientAuth, isCA: Bool = false,
        lifetime: Duration = .seconds(86_400), issuedAt: Timestamp? = nil
    ) async throws -> Credential {
        let (signer, _) = try await database.platform.read { [issuing, acme] transaction in
            try issuing.signer(of: acme, in: transaction)
        }
        let key = P256.Signing.PrivateKey()
        let certificate = try signer.sign(
            subject: DistinguishedName { CommonName("x") }, publicKey: Certificate.PublicKey(key.publicKey),
            now: issuedAt ?? WallClock.system.now, lifetime: lifetime,
            extensions: [
                isCA ? .authority(maximumPathLength: 0) : .notAuthority,
                .keyUsage(KeyUsage(digitalSignature: true)), .extendedKeyUsage(usage), .names(names),
            ])
        return Credential(key: key, der: try certificate.der())
    }

    func counter(_ line: String) -> Int {
        for text in metrics.text().split(separator: "\n") where text.hasPrefix(line + " ") {
            return Int(text.split(separator: " ").last ?? "") ?? -1
        }
        return 0
    }

    /// Waits for what the server does in its own time, up to a bound that only a failure reaches.
    func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while try await !condition() {
            guard clock.now < deadline else {
                Issue.record(what)
                return
            }
            await Task.yield()
            try await clock.sleep(for: .milliseconds(2))
        }
    }
}

/// Stands where MQTT will: says who the connection is, then repeats what it hears.
final class SouthboundEcho: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let identity: ConnectionIdentity

    init(identity: ConnectionIdentity) { self.identity = identity }

    func handlerAdded(context: ChannelHandlerContext) {
        let text = "\(identity.device?.name.text ?? "nobody") \(identity.address)\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let end = event as? DeviceConnectionEnd else { return context.fireUserInboundEventTriggered(event) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "bye \(end.reason)\n")), promise: nil)
        context.close(promise: nil)
    }
}
