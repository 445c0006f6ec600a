import Access
import Audit
import Base
import Blobs
import Bus
import Console
import Delivery
import Fleet
import Foundation
import Logging
import NIOCore
import NIOPosix
import Northbound
import OAuth
import Operations
import ServiceLifecycle
import SignIn
import Southbound
import Storage
import Telemetry
import Trust
import Watch

/// The parts of one server, made in the order in which they need each other.
struct ServerParts: Sendable {
    let configuration: Configuration
    let directory: String
    let database: Database
    let bus: Bus
    let metrics: Metrics
    let keyRing: KeyRing
    let authorities: CertificateAuthorities
    let issuing: IssuingAuthorities
    let verifier: DeviceCertificateVerifier
    let audit: AuditLog
    let verification: AuditVerifier
    let access: Access
    let delivery: Delivery
    let fleet: Fleet
    let telemetry: Telemetry
    let blobs: Blobs
    let operations: Operations
    let watch: Watch
    let oauth: OAuth
    let signIn: SignIn
    let factors: Factors
    let directories: Directories
    let serverNames: ServerNames
    let deviceGroup: MultiThreadedEventLoopGroup
    let logger: Logger

    /// Every table of the program.
    static let schema = [
        TrustSchema.part, AuditSchema.part, AccessSchema.part, DeliverySchema.part, FleetSchema.part,
        TelemetrySchema.part, OperationsSchema.part, ReleasesSchema.part, LinesSchema.part,
        MaintenanceSchema.part, CampaignsSchema.part,
        WatchSchema.part,
        NorthboundSchema.part, SignInSchema.part, FactorSchema.part, ConsoleSchema.part, OAuthSchema.part,
        DirectorySchema.part,
    ]

    /// Every column that the key ring seals.
    static let sealedColumns =
        [IssuingAuthorities.sealedColumn] + AuditSchema.sealedColumns + AccessSchema.sealedColumns
        + DeliverySchema.sealedColumns
        + NorthboundSchema.sealedColumns
        + OAuthSchema.sealedColumns
        + FactorSchema.sealedColumns + DirectorySchema.sealedColumns + OperationsSchema.sealedColumns
        + FleetSchema.sealedColumns

    /// Opens everything that `directory` and the configuration name; the first run makes keys, CAs and tables.
    static func open(_ configuration: Configuration, directory: String, logger: Logger) async throws -> ServerParts {
        guard let deployment = DeploymentName(configuration.deployment) else {
            throw ConfigurationError("deployment \(configuration.deployment) is no host name such as fleet.example.com")
        }
        let names = try ServerNames(
            [deployment.text, "localhost", "127.0.0.1", "::1"] + configuration.serverNames)
        let database = try await openDatabase(configuration, directory: directory)
        try await database.migrate(schema)
        try await Installation.check(database, keys: "\(directory)/keys", deployment: deployment)
        let keyRing = try KeyRing(directory: "\(directory)/keys", columns: sealedColumns)
        let authorities = try CertificateAuthorities(
            paths: AuthorityPaths(keys: "\(directory)/keys", trust: "\(directory)/trust"), deployment: deployment,
            logger: logger)
        let bus = Bus()
        let issuing = IssuingAuthorities(authorities: authorities, keyRing: keyRing, logger: logger)
        let verifier = DeviceCertificateVerifier()
        let audit = try AuditLog(
            database: database, keyRing: keyRing, deployment: deployment, directory: "\(directory)/audit",
            logger: logger)
        let tenants = TenantDirectory()
        let access = Access(
            database: database, audit: audit, keyRing: keyRing, issuing: issuing, directory: tenants,
            anchorAdded: { verifier.trust($0) }, tenantEnded: { bus.publish(TenantAccessEnded(tenant: $0)) },
            locate: { try Fleet.place($0, $1) }, deviceName: { try Fleet.name(of: $0, $1) },
            credentialsEnded: { bus.publish(CredentialsEnded(tenant: $0, principal: $1)) })
        try await access.start()
        for anchor in try await database.platform.read({ try issuing.anchors(in: $0.acrossTenants) }) {
            verifier.trust(anchor)
        }
        let metrics = Metrics()
        var deliverySettings = try configuration.deliverySettings(directory: directory)
        deliverySettings.tenantName = { tenants.tenant($0)?.slug.text ?? $0.text }
        let delivery = Delivery(
            database: database, keyRing: keyRing, audit: audit, settings: deliverySettings, metrics: metrics,
            logger: logger)
        let certificates = DeviceCertificates(issuing: issuing)
        let fleet = Fleet(
            database: database, access: access, audit: audit, keyRing: keyRing, bus: bus,
            certificates: certificates, directory: DeviceDirectory(tenants: tenants),
            presence: Presence(database: database, bus: bus, logger: logger))
        try await fleet.start()
        let telemetry = Telemetry(
            database: database, directory: "\(directory)/telemetry",
            retention: .init(raw: .seconds(Int64(configuration.telemetryDays) * 86_400)), clock: .system, logger: logger
        )
        try await telemetry.open()
        let blobs = try Blobs(directory: "\(directory)/blobs")
        let operations = Operations(
            database: database, access: access, audit: audit, keyRing: keyRing, fleet: fleet, bus: bus,
            blobs: blobs, text: { try delivery.wake($0, expires: $1, tenant: $2, in: $3) })
        try await operations.start()
        let oauth = OAuth(
            database: database, access: access, audit: audit, keyRing: keyRing, issuer: configuration.issuer)
        let signIn = SignIn(
            database: database, access: access, audit: audit,
            hashing: PasswordHashing(threads: configuration.signInThreads),
            place: { configuration.place(of: $0) }, send: { try delivery.send($0, $1, $2) })
        let watch = Watch(
            database: database, access: access, audit: audit, delivery: delivery, fleet: fleet,
            operations: operations, certificates: certificates, bus: bus,
            addresses: { try signIn.addresses(of: $0, tenant: $1, in: $2) },
            place: { configuration.place(of: .people) })
        watch.start()
        let party = RelyingParty(deployment, places: Realm.allCases.map { configuration.place(of: $0) })
        let factors = Factors(
            signIn: signIn, keyRing: keyRing, party: party,
            text: { try delivery.send(code: $1, to: $0, $2, $3) })
        let directories = Directories(
            signIn: signIn, keyRing: keyRing, networks: configuration.directoryNetworks)
        let threads = configuration.deviceThreads == 0 ? Processors.usableCount : configuration.deviceThreads
        return ServerParts(
            configuration: configuration, directory: directory, database: database, bus: bus, metrics: metrics,
            keyRing: keyRing, authorities: authorities, issuing: issuing, verifier: verifier, audit: audit,
            verification: AuditVerifier(audit) { bus.publish(TopicChanged(tenant: $0, topic: "verification")) },
            access: access, delivery: delivery, fleet: fleet, telemetry: telemetry, blobs: blobs,
            operations: operations, watch: watch, oauth: oauth, signIn: signIn,
            factors: factors, directories: directories,
            serverNames: names,
            deviceGroup: MultiThreadedEventLoopGroup(numberOfThreads: threads), logger: logger)
    }

    /// The database that the configuration names; read-only, a running server does not notice.
    static func openDatabase(
        _ configuration: Configuration, directory: String, isReadOnly: Bool = false
    ) async throws -> Database {
        var options = DatabaseOptions()
        options.isReadOnly = isReadOnly
        options.partitionDirectory = "\(directory)/telemetry"
        let location: DatabaseLocation =
            configuration.database == "sqlite"
            ? .sqlite(path: "\(directory)/tidegate.db") : .postgres(url: configuration.database)
        return try await Database.open(location, options: options)
    }

    /// Ends what has no service of its own, after all services have ended.
    func close() async {
        do {
            try await telemetry.close()
            try await fleet.presence.flush()
            try await fleet.flushFailures()
            try await access.flushCredentialUse()
        } catch {
            logger.error(
                "not everything could be written at the end; the next start replays it", metadata: ["error": "\(error)"]
            )
        }
        await database.close()
        try? await deviceGroup.shutdownGracefully()
    }
}
