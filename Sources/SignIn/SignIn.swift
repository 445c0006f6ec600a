public import Access
public import Audit
public import Base
public import Storage
import Synchronization

/// A message to somebody that sign-in wants sent.
public struct OutboundNote: Sendable, Hashable {
    /// To whom.
    public let to: MailAddress
    /// The subject.
    public let subject: String
    /// The text.
    public let text: String
    /// From when on it is of no use: it holds a link, so nobody but its receiver should see it. Nil for a mere notice.
    public let expires: Timestamp?

    init(to: MailAddress, subject: String, text: String, expires: Timestamp? = nil) {
        self.to = to
        self.subject = subject
        self.text = text
        self.expires = expires
    }
}

/// People's accounts and how they sign in: passwords, factors, links and sessions.
///
/// Who may do what is Access's business; this part proves who somebody is, and opens a credential of the kind session
/// for them.
public struct SignIn: Sendable {
    /// Sends a note in the caller's transaction; false when there is no way to send it.
    public typealias Send = @Sendable (OutboundNote, TenantID, Transaction) throws -> Bool
    /// What an account still needs beside its password, after what was proved.
    public typealias Demand = @Sendable (Account, Set<FactorMethod>, Transaction) throws -> FactorDemand

    /// Computes passwords' hashes.
    public let hashing: PasswordHashing
    let database: Database
    let access: Access
    let audit: AuditLog
    let throttle: SignInThrottle
    let clock: WallClock
    /// Where people reach a realm's listener, such as `https://fleet.example.com:8443`, for links.
    let place: @Sendable (Realm) -> String
    let send: Send
    let demand: Demand
    let rule: FactorRule
    let requests = ResetRequests()

    /// Sign-in over these parts; unless told otherwise it demands what factors, tenant and roles ask for.
    public init(
        database: Database, access: Access, audit: AuditLog, hashing: PasswordHashing, throttle: SignInThrottle? = nil,
        clock: WallClock = .system, place: @escaping @Sendable (Realm) -> String,
        send: @escaping Send = { _, _, _ in false }, demand: Demand? = nil
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.hashing = hashing
        self.throttle = throttle ?? SignInThrottle(clock: clock)
        self.clock = clock
        self.place = place
        self.send = send
        let rule = FactorRule(access: access, clock: clock)
        self.rule = rule
        self.demand = demand ?? { try rule.demand(of: $0, satisfied: $1, in: $2) }
        let whole = self
        access.proof.set { try whole.requireRecent($0, for: $1, in: $2) }
        access.rules.setAdmits { try whole.admits($0, of: $1, from: $2, in: $3) }
        addApprovals()
    }

    // MARK: - What every act shares

    /// Records what the holder of an account did without a credential yet: by a link or at the end of a sign-in.
    func record(
        _ code: AuditCode, by account: Account, from origin: Origin, credential: CredentialID? = nil,
        _ object: AuditObject? = nil, details: JSONValue = [:], in tx: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: account.tenant,
                actor: Actor(
                    kind: .user, id: account.principal.text, name: account.name, credential: credential?.text,
                    address: origin.address),
                object: object ?? AuditObject(kind: "account", id: account.principal.text), details: details),
            in: tx)
    }

    /// The tenant of an account, when it works.
    func liveTenant(_ id: TenantID) -> Tenant? {
        access.directory.tenant(id).flatMap { $0.status == .active ? $0 : nil }
    }

    /// The one answer to whatever is wrong with an address and a password.
    static let refused = Refusal(
        .unauthenticated, "signin.refused",
        "The address or the password is wrong, or there were too many attempts. If you belong to several organisations, "
            + "name yours; if you have tried often, wait a little; or have a new password sent.")
}
