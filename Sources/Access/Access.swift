public import Audit
public import Base
public import Storage
public import Trust

/// Tenants and rights: who exists, who may do what, and the one place that decides it.
///
/// Every act takes the principal who wants it, decides and writes in one transaction, and records it in the audit log
/// of each tenant it concerns.
public struct Access: Sendable {
    /// The tenants and plans in memory, for the device side.
    public let directory: TenantDirectory

    let database: Database
    let audit: AuditLog
    let keyRing: KeyRing
    let issuing: IssuingAuthorities
    let credentialUse = CredentialUse()
    let rights = Rights()
    /// The changes that can be proposed to a second approver.
    package let approvals = Approvals()
    /// What dangerous acts ask for beside a right.
    package let proof = RecentProof()
    /// Who hears of a tenant's new time zone.
    package let zoneChanges = ZoneChanges()
    /// Who hears that a domain was moved or deleted.
    package let domainChanges = DomainChanges()
    /// What other parts know about credentials.
    package let rules = CredentialRules()
    let clock: WallClock
    /// Hears of a new tenant's issuing CA, after the commit.
    let anchorAdded: @Sendable (DeviceAnchor) -> Void
    /// Hears that a tenant's devices are no longer let in, after the commit.
    let tenantEnded: @Sendable (TenantID) -> Void

    /// Finds a device by its name or identifier; devices are another part's.
    let locate: @Sendable (String, Transaction) throws -> GrantPlace?
    /// What a device is called.
    let deviceName: @Sendable (DeviceID, Transaction) throws -> String?
    /// Hears, after the commit, that credentials of a principal ended or rights changed, or of everybody of a tenant
    /// when none is named.
    let credentialsEnded: @Sendable (TenantID, PrincipalID?) -> Void

    /// The rights in `database`.
    public init(
        database: Database, audit: AuditLog, keyRing: KeyRing, issuing: IssuingAuthorities,
        directory: TenantDirectory, clock: WallClock = .system,
        anchorAdded: @escaping @Sendable (DeviceAnchor) -> Void = { _ in },
        tenantEnded: @escaping @Sendable (TenantID) -> Void = { _ in },
        locate: @escaping @Sendable (String, Transaction) throws -> GrantPlace? = { _, _ in nil },
        deviceName: @escaping @Sendable (DeviceID, Transaction) throws -> String? = { _, _ in nil },
        credentialsEnded: @escaping @Sendable (TenantID, PrincipalID?) -> Void = { _, _ in }
    ) {
        self.database = database
        self.audit = audit
        self.keyRing = keyRing
        self.issuing = issuing
        self.directory = directory
        self.clock = clock
        self.anchorAdded = anchorAdded
        self.tenantEnded = tenantEnded
        self.locate = locate
        self.deviceName = deviceName
        self.credentialsEnded = credentialsEnded
        addApprovals()
    }

    /// Makes the platform tenant and the standard plan on the first run, and loads the directory; call it before
    /// anything else.
    public func start() async throws {
        let now = clock.now
        try await database.platform.write { tx in
            guard try tx.row("SELECT 1 FROM tenant WHERE id = $1", TenantID.platform) == nil else { return }
            guard let planName = Name("standard") else { return }
            try PlanRow.insert(Plan(id: Plan.standardID, name: planName), in: tx)
            try makeTenant(
                Tenant(
                    id: .platform, slug: .platform, name: "Platform", status: .active, plan: Plan.standardID,
                    rootDomain: DomainID(now: now), created: now, demo: false), in: tx)
            try record(.tenantCreated, .platform, by: .localAdministrator, "tenant", TenantID.platform.text, in: tx)
        }
        try await reloadDirectory()
    }

    /// Reads tenants and plans into memory again, as after a restore.
    public func reloadDirectory() async throws {
        let (tenants, plans) = try await database.platform.read { tx in
            (try TenantRow.all(in: tx), try PlanRow.all(in: tx))
        }
        directory.replace(tenants: tenants, plans: plans)
    }

    // MARK: - What every act shares

    /// Records an act of a principal in a tenant's log, in the transaction of the act.
    package func record(
        _ code: AuditCode, _ tenant: TenantID, by principal: Principal, _ kind: String, _ id: String,
        domain: DomainID? = nil, details: JSONValue = [:], in tx: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, domain: domain, actor: principal.actor(in: tenant),
                object: AuditObject(kind: kind, id: id), details: details),
            in: tx)
    }

    /// What somebody is told who asks for a tenant, or something in it as a whole, that is absent or not for them.
    static let notHere = Refusal(.notFound, "not.found", "There is no such thing, or it is not for you.")

    /// What is absent and what is not for the caller look the same.
    package static func unknown(_ kind: String) -> Refusal {
        Refusal(.notFound, "\(kind).unknown", "There is no such \(kind), or it is not for you.")
    }

    /// The text, when it can be a name for people.
    package static func displayName(_ text: String, at place: String) throws(Refusal) -> String {
        let isClean = !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard !text.isEmpty, text.utf8.count <= AccessLimits.displayNameBytes, isClean else {
            throw Refusal(
                .invalid, "name.invalid",
                "A name is 1 to \(AccessLimits.displayNameBytes) bytes without control characters.",
                faults: [Refusal.Fault(place: place, message: "is empty, too long or holds a control character")])
        }
        return text
    }
}
