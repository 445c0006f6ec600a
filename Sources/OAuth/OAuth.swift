public import Access
public import Audit
public import Base
public import Storage
public import Trust

/// The authorization server: gives programs access tokens, for themselves or for the person who let them
/// (RFC 6749 with the practice of RFC 9700).
///
/// An access token is a credential of Access, of the kind `access`, so that ending it counts everywhere at once. This
/// part knows which program it was for, and what can be exchanged for the next one.
public struct OAuth: Sendable {
    let database: Database
    let access: Access
    let audit: AuditLog
    let keyRing: KeyRing
    /// Where programs find this server, and the name by which it signs.
    public let issuer: Issuer
    let clock: WallClock
    let attempts: CodeAttempts

    /// An authorization server over these parts.
    public init(
        database: Database, access: Access, audit: AuditLog, keyRing: KeyRing, issuer: Issuer,
        clock: WallClock = .system
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.keyRing = keyRing
        self.issuer = issuer
        self.clock = clock
        attempts = CodeAttempts(clock: clock)
        let whole = self
        access.rules.addEnd { try whole.endAll(of: $0, tenant: $1, except: $2, in: $3) }
    }

    /// Records what a program did, or what was done for it.
    func record(
        _ code: AuditCode, _ tenant: TenantID, _ client: Client, address: String?, object: AuditObject,
        outcome: AuditEntry.Outcome = .success, details: [String: JSONValue] = [:], in tx: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant,
                actor: Actor(kind: .client, id: client.id, name: client.name, address: address), object: object,
                outcome: outcome, details: .object(details)),
            in: tx)
    }
}

/// One request of a program at the authorization server, as its listener read it.
public struct OAuthRequest: Sendable {
    /// The values of its form.
    public var form: [String: String]
    /// Its `Authorization` field.
    public var authorization: String?
    /// The certificate with which it connected, which its TLS proved that it has the key of.
    public var certificate: Fingerprint?
    /// Where it came from.
    public var address: String?
    /// What it calls itself.
    public var agent: String?

    /// A request with this form.
    public init(
        form: [String: String], authorization: String? = nil, certificate: Fingerprint? = nil, address: String? = nil,
        agent: String? = nil
    ) {
        self.form = form
        self.authorization = authorization
        self.certificate = certificate
        self.address = address
        self.agent = agent
    }
}
