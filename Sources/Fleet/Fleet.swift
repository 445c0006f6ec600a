public import Access
public import Audit
public import Base
public import Bus
public import Storage
public import Trust

/// Devices and their models: every act checks the caller's right, writes and records in one transaction, and has
/// taken effect on live connections when it returns.
public struct Fleet: Sendable {
    /// Who may come in, in memory.
    public let directory: DeviceDirectory
    /// Who is connected.
    public let presence: Presence
    /// When devices shall call, and who has missed it.
    public let heartbeats: Heartbeats

    let database: Database
    let access: Access
    let audit: AuditLog
    let bus: Bus
    let certificates: DeviceCertificates
    let keyRing: KeyRing
    let clock: WallClock
    /// Ends the rest of who works out desired documents.
    let desiredBell = Bell()
    /// Whose desired documents wait because the work on them failed.
    let desiredPauses = DesiredPauses()
    let eventNumbers = EventNumbers()
    let versionCounts: VersionCounts

    /// The fleet in this database; `steady` is how long the server has run, for deadlines of calls.
    public init(
        database: Database, access: Access, audit: AuditLog, keyRing: KeyRing, bus: Bus,
        certificates: DeviceCertificates, directory: DeviceDirectory, presence: Presence, clock: WallClock = .system,
        steady: (@Sendable () -> Duration)? = nil
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.bus = bus
        self.certificates = certificates
        self.keyRing = keyRing
        self.directory = directory
        self.presence = presence
        self.clock = clock
        heartbeats = Heartbeats(
            database: database, bus: bus, directory: directory, served: access.directory, presence: presence,
            clock: clock, steady: steady)
        let origin = ContinuousClock.now
        versionCounts = VersionCounts(steady: steady ?? { ContinuousClock.now - origin })
    }

    /// Loads devices, credentials and models into the directory and marks everybody offline; call it before the
    /// listeners open.
    public func start() async throws {
        bus.subscribe(to: TenantAccessEnded.self) { [directory] in directory.forgetIfGone($0.tenant) }
        bus.subscribe(to: DeviceOffline.self) { [directory] event in
            guard event.reason == .lost else { return }
            directory.failures.note(.lost, "the connection broke", event.device, of: event.tenant, at: event.time)
        }
        bus.subscribe(to: DeviceChanged.self) { [versionCounts, database] in
            versionCounts.change($0.tenant, at: database.mark())
        }
        bus.subscribe(to: DevicesRegistered.self) { [versionCounts, database] in
            versionCounts.change($0.tenant, at: database.mark())
        }
        try await presence.start()
        try await DirectoryLoader(directory: directory, certificates: certificates).load(from: database)
        try await heartbeats.start(hearing: access)
        followLayers()
    }

    /// Where the device of this name or identifier lives, for Access, which gives rights at single devices.
    public static func place(_ text: String, _ transaction: Transaction) throws -> GrantPlace? {
        guard let reference = DeviceReference(text) else { return nil }
        return try DeviceStore.find(reference, in: transaction).map { GrantPlace(domain: $0.domain, device: $0.id) }
    }

    /// What the device of this identifier is called, for Access.
    public static func name(of id: DeviceID, _ transaction: Transaction) throws -> String? {
        try DeviceStore.find(.id(id), in: transaction)?.name.text
    }

    /// The number at which a device gets text messages; nil when it has none, or holds a connection and needs none.
    public func textNumber(of device: DeviceID, in transaction: Transaction) throws -> String? {
        guard !presence.contact(of: device).isHeld else { return nil }
        return try DeviceStore.find(.id(device), in: transaction)?.identifiers.first { $0.kind == .msisdn }?.value
    }

    /// Whether devices live in this domain, for whoever wants to delete it.
    public func hasDevices(in domain: DomainID, _ transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT 1 FROM device WHERE tenant = $1 AND revision > 0 AND domain = $2 LIMIT 1", domain)
            != nil
    }

    /// Removes everything that a deleted tenant had here, in parts, so that it can be cut short and called again.
    public func purge(_ tenant: TenantID) async throws {
        let handle = database.tenant(tenant)
        while try await handle.write({ try TenantPurge.step($0) }) {}
        versionCounts.forget(tenant)
    }

    // MARK: - What every act shares

    /// A device of the tenant, for a caller who may do this with it; one that is absent and one that the caller must
    /// not see look the same.
    func device(
        _ reference: DeviceReference, of tenant: TenantID, for principal: Principal, _ permission: Permission,
        in transaction: Transaction
    ) throws -> Device {
        guard let device = try DeviceStore.find(reference, in: transaction) else { throw Self.unknown }
        do {
            try access.authorize(
                principal, permission, tenant: tenant, domain: device.domain, device: device.id, in: transaction)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            throw Self.unknown
        }
        return device
    }

    static let unknown = Refusal(
        .notFound, "device.unknown", "There is no such device; name it by its name or its 32-digit identifier.")

    /// The reference that a caller's text spells.
    static func reference(_ text: String) throws(Refusal) -> DeviceReference {
        guard let reference = DeviceReference(text) else { throw unknown }
        return reference
    }

    func record(
        _ code: AuditCode, _ device: Device, of tenant: TenantID, by actor: Actor, details: JSONValue = [:],
        outcome: AuditEntry.Outcome = .success, in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, domain: device.domain, actor: actor,
                object: AuditObject(kind: "device", id: device.id.text), outcome: outcome, details: details),
            in: transaction)
    }
}

extension Device {
    /// The row that the directory keeps.
    func entry(of tenant: TenantID) -> DirectoryDevice {
        DirectoryDevice(
            tenant: tenant, id: id, name: name, domain: domain, model: model, status: status, revision: revision)
    }
}
