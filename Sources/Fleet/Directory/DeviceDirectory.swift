public import Access
public import Base
import Storage
import Synchronization
public import Trust

/// Every device and credential of the deployment in memory: who may come in is answered at once, without the database.
///
/// It is loaded at start, and every act of ``Fleet`` changes it after its commit and before the caller gets an answer.
public final class DeviceDirectory: Sendable {
    private struct State {
        var table = DirectoryTable()
        var models: [ModelID: Model] = [:]
        var modelGeneration: UInt64 = 0
        var gateways = GatewayTable()

        /// What a gateway opens of a device; nil when it may not speak for it.
        func gatewayChannels(of id: DeviceID) -> ChannelSet? {
            // A device that only ever speaks through a gateway has no credential that would make it active.
            guard let row = table.device(id), row.status == .active || row.status == .registered else { return nil }
            let channels = DeviceDirectory.channels(.accessToken, table.model(of: row).flatMap { models[$0] })
            return channels.isEmpty ? nil : channels
        }
    }

    private let state = Mutex(State())
    private let tenants: TenantDirectory
    private let clock: WallClock

    /// How often devices that are known were refused, or lost.
    let failures = ContactFailures()

    /// A directory without devices, over the tenants that are served.
    public init(tenants: TenantDirectory, clock: WallClock = .system) {
        self.tenants = tenants
        self.clock = clock
    }

    // MARK: - Who may come in

    /// The device that a verified certificate stands for; otherwise one and the same refusal, whatever the reason, with
    /// the reason in its detail for the log.
    public func admit(_ verified: VerifiedDevice) throws(Refusal) -> AdmittedDevice {
        try admit(digest: verified.fingerprint) { credential, device, tenant in
            guard credential.sort != .accessToken else { return "not a certificate" }
            return device.id == verified.device && tenant == verified.tenant ? nil : "the names do not belong together"
        }
    }

    /// The device that an access token stands for, where its model allows this weaker credential.
    public func admit(accessToken: String) throws(Refusal) -> AdmittedDevice {
        guard (1...FleetLimits.tokenBytes).contains(accessToken.utf8.count),
            let digest = Fingerprint(bytes: Token.hash(of: accessToken))
        else { throw Self.refused("not a token") }
        return try admit(digest: digest) { credential, _, _ in
            credential.sort == .accessToken ? nil : "not an access token"
        }
    }

    /// Whether the credential that let this device in still does: cheap enough for every request and packet.
    public func isAdmitted(_ device: AdmittedDevice) -> Bool {
        guard device.notAfter > clock.now, tenants.tenant(device.tenant)?.status == .active else { return false }
        return state.withLock { state in
            if state.gateways.holds(device.ticket, of: device.tenant) {
                return state.gatewayChannels(of: device.device)?.isSuperset(of: device.channels) ?? false
            }
            guard let (credential, row) = state.table.credential(device.ticket), row.id == device.device,
                row.status == .active
            else { return false }
            let model = state.table.model(of: row).flatMap { state.models[$0] }
            return Self.channels(credential.sort, model).isSuperset(of: device.channels)
        }
    }

    /// The device for which a gateway speaks, by its name or identifier: one that is known, and whose model allows access
    /// tokens.
    public func admit(
        gatewayToken: String, tenant slug: TenantSlug, device text: String
    ) throws(Refusal) -> AdmittedDevice {
        guard (1...FleetLimits.tokenBytes).contains(gatewayToken.utf8.count),
            let digest = Fingerprint(bytes: Token.hash(of: gatewayToken)), let tenant = activeTenant(slug)
        else { throw Self.refused("not a token, or no tenant") }
        let admitted = state.withLock { state -> AdmittedDevice? in
            guard let ticket = state.gateways.ticket(digest, of: tenant),
                let id = DeviceID(text: text) ?? Name(text).flatMap({ state.table.device(named: $0, of: tenant) }),
                let row = state.table.device(id), state.table.tenant(of: row) == tenant,
                let channels = state.gatewayChannels(of: id)
            else { return nil }
            return AdmittedDevice(
                tenant: tenant, tenantSlug: slug, device: id, name: row.name, domain: state.table.domain(of: row),
                model: state.table.model(of: row), channels: channels, credential: nil,
                notAfter: Timestamp(microseconds: .max), ticket: ticket)
        }
        guard let admitted else { throw Self.refused("not the gateway's token, or no device for which it may speak") }
        return admitted
    }

    private func admit(
        digest: Fingerprint,
        check: (DirectoryTable.CredentialRow, DirectoryTable.DeviceRow, TenantID) -> String?
    ) throws(Refusal) -> AdmittedDevice {
        enum Answer {
            case admitted(AdmittedDevice)
            case refused(String)
        }
        let now = clock.now
        // Copied out first: no lock is held while another part's lock is taken.
        let found = state.withLock { state -> Found? in
            guard let (ticket, credential, device) = state.table.credential(digest) else { return nil }
            let model = state.table.model(of: device)
            return Found(
                ticket: ticket, credential: credential, device: device, tenant: state.table.tenant(of: device),
                domain: state.table.domain(of: device), modelID: model, model: model.flatMap { state.models[$0] })
        }
        guard let found else { throw Self.refused("unknown credential") }
        if let reason = check(found.credential, found.device, found.tenant) { throw Self.refused(reason) }
        func refused(_ reason: String) -> Refusal {
            failures.note(.refused, reason, found.device.id, of: found.tenant, at: now)
            return Self.refused(reason)
        }
        guard found.device.status == .active else { throw refused("the device is \(found.device.status.rawValue)") }
        guard found.credential.notAfter > now else { throw refused("the credential has expired") }
        guard let tenant = tenants.tenant(found.tenant), tenant.status == .active else {
            throw Self.refused("the tenant is not active")
        }
        let channels = Self.channels(found.credential.sort, found.model)
        guard !channels.isEmpty else { throw refused("the model allows no access token") }
        return AdmittedDevice(
            tenant: found.tenant, tenantSlug: tenant.slug, device: found.device.id, name: found.device.name,
            domain: found.domain, model: found.modelID, channels: channels,
            credential: found.credential.sort == .accessToken ? nil : digest, notAfter: found.credential.notAfter,
            ticket: found.ticket)
    }

    private struct Found {
        var ticket: CredentialTicket
        var credential: DirectoryTable.CredentialRow
        var device: DirectoryTable.DeviceRow
        var tenant: TenantID
        var domain: DomainID
        var modelID: ModelID?
        var model: Model?
    }

    /// What a credential opens under a model's policy; a device without a model has the usual one.
    fileprivate static func channels(_ sort: CredentialSort, _ model: Model?) -> ChannelSet {
        let both = model?.oneCertificateForBoth ?? true
        switch sort {
        case .maintenanceCertificate: return both ? .both : .maintenance
        case .streamCertificate: return .stream
        case .accessToken:
            guard model?.allowsAccessToken ?? false else { return [] }
            return both ? .both : .stream
        }
    }

    private static func refused(_ detail: String) -> Refusal {
        Refusal(.unauthenticated, "device.refused", "This credential is not accepted.", detail: detail)
    }

    // MARK: - What is known about devices and models

    /// The model of a device, nil when it has none; the usual policies are those of `ModelDocument()`.
    public func model(of device: AdmittedDevice) -> Model? {
        state.withLock { state in
            guard let row = state.table.device(device.device) else { return nil }
            return state.table.model(of: row).flatMap { state.models[$0] }
        }
    }

    /// The model with this identifier.
    public func model(_ id: ModelID) -> Model? { state.withLock { $0.models[id] } }

    /// A number that changes whenever any model, or any device's model, does: who keeps a model compares it.
    public var modelGeneration: UInt64 { state.withLock { $0.modelGeneration } }

    /// The plan that limits the devices of a tenant.
    public func plan(of tenant: TenantID) -> Plan? { tenants.plan(of: tenant) }

    /// The tenant of the device with this identifier, whatever its status.
    public func tenant(of device: DeviceID) -> TenantID? {
        state.withLock { state in state.table.device(device).map { state.table.tenant(of: $0) } }
    }

    /// How many devices and credentials are known.
    public var count: (devices: Int, credentials: Int) {
        state.withLock { ($0.table.deviceCount, $0.table.credentialCount) }
    }

    /// The tenant with this slug, when it is active.
    func activeTenant(_ slug: TenantSlug) -> TenantID? {
        guard let tenant = tenants.tenant(slug), tenant.status == .active else { return nil }
        return tenant.id
    }

    /// How many devices a tenant has.
    func count(of tenant: TenantID) -> Int { state.withLock { $0.table.deviceCount(of: tenant) } }

    /// The devices of a model.
    func devices(of model: ModelID) -> [DeviceID] { state.withLock { $0.table.devices(of: model) } }

    /// Whether a device that moves from one model to another may be let in with less than before.
    func isTighter(_ new: ModelID?, than old: ModelID?) -> Bool {
        guard new != old else { return false }
        let (new, old) = state.withLock { state in (new.flatMap { state.models[$0] }, old.flatMap { state.models[$0] })
        }
        return Self.isTighter(new?.document ?? ModelDocument(), than: old?.document ?? ModelDocument())
    }

    /// Whether a document lets devices in with less than another.
    static func isTighter(_ new: ModelDocument, than old: ModelDocument) -> Bool {
        old.allowsAccessToken && !new.allowsAccessToken || old.oneCertificateForBoth && !new.oneCertificateForBoth
    }

    /// A device that is let in, as far as policies depend on it.
    struct Active: Sendable {
        let id: DeviceID
        let domain: DomainID
        let model: ModelID?
    }

    /// The device with its tenant; nil when it is not let in.
    func active(_ id: DeviceID) -> (tenant: TenantID, device: Active)? {
        state.withLock { state in
            guard let row = state.table.device(id), row.status == .active else { return nil }
            return (
                state.table.tenant(of: row),
                Active(id: id, domain: state.table.domain(of: row), model: state.table.model(of: row))
            )
        }
    }

    /// The devices of a tenant that are let in.
    func active(of tenant: TenantID) -> [Active] { active { $0 == tenant }[tenant] ?? [] }

    /// The devices that are let in of the tenants that `isMeant` names, by tenant.
    func active(where isMeant: (TenantID) -> Bool = { _ in true }) -> [TenantID: [Active]] {
        state.withLock { state in
            var active: [TenantID: [Active]] = [:]
            for case let row? in state.table.devices where row.status == .active {
                let tenant = state.table.tenant(of: row)
                guard isMeant(tenant) else { continue }
                active[tenant, default: []].append(
                    Active(id: row.id, domain: state.table.domain(of: row), model: state.table.model(of: row)))
            }
            return active
        }
    }

    // MARK: - Changes, after their commit

    /// Takes what was loaded at start-up.
    func replace(_ table: DirectoryTable, models: [Model]) {
        state.withLock { state in
            state.table = table
            state.models = Dictionary(models.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            state.modelGeneration += 1
        }
    }

    /// Changes the table under the lock.
    func change(_ body: (inout DirectoryTable) -> Void) {
        state.withLock { state in
            body(&state.table)
            state.modelGeneration += 1
        }
    }

    /// A tenant's gateways present this token from now on; none does when it is nil.
    func setGateway(_ digest: Fingerprint?, of tenant: TenantID) {
        state.withLock { state in
            state.gateways.set(digest, of: tenant)
            if digest == nil { state.table.dropNames(of: tenant) } else { state.table.keepNames(of: tenant) }
        }
    }

    /// Takes a model's newer version in.
    func put(_ model: Model) {
        state.withLock { state in
            if let present = state.models[model.id], present.version >= model.version { return }
            state.models[model.id] = model
            state.modelGeneration += 1
        }
    }

    /// Takes a model out.
    func remove(_ model: ModelID) {
        state.withLock { state in
            state.models[model] = nil
            state.modelGeneration += 1
        }
    }

    /// Takes every device of a tenant out, unless the tenant is still there.
    func forgetIfGone(_ tenant: TenantID) {
        guard tenants.tenant(tenant) == nil else { return }
        state.withLock { state in
            for id in state.table.devices(of: tenant) { state.table.remove(id) }
            state.gateways.set(nil, of: tenant)
            state.table.dropNames(of: tenant)
            state.modelGeneration += 1
        }
    }
}
