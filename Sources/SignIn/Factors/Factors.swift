import Audit
public import Base
public import Storage
public import Trust

/// What proves people beside their password: passkeys, authenticator programs, codes by text message, recovery codes.
///
/// A method is set up and confirmed by its first code or signature; from then on sign-in asks for it. Each method counts
/// its wrong guesses for itself.
public struct Factors: Sendable {
    /// Puts a text message into a tenant's queue in the caller's transaction; false when there is no way to send it.
    public typealias Text =
        @Sendable (_ number: TelephoneNumber, _ text: String, TenantID, Transaction) throws -> Bool

    let signIn: SignIn
    let keyRing: KeyRing
    let party: RelyingParty
    let text: Text

    /// The factors of the accounts of `signIn`, which prove people to `party`.
    public init(
        signIn: SignIn, keyRing: KeyRing, party: RelyingParty, text: @escaping Text = { _, _, _, _ in false }
    ) {
        self.signIn = signIn
        self.keyRing = keyRing
        self.party = party
        self.text = text
        addApprovals()
    }

    /// The name under which authenticator programs list it.
    var issuer: String { party.id }

    /// Whether passkeys work on pages of this origin, written as browsers do.
    public func passkeysWork(at origin: String) -> Bool { party.origins.contains(origin) }

    /// The origin of a realm's pages, where passkeys work.
    public func passkeyPlace(of realm: Realm) -> String { RelyingParty.origin(signIn.place(realm)) }

    var database: Database { signIn.database }
    var clock: WallClock { signIn.clock }
    var rule: FactorRule { FactorRule(access: signIn.access, clock: signIn.clock) }

    // MARK: - What every act shares

    /// Records what the holder of an account did with a factor.
    func record(
        _ code: AuditCode, by holder: FactorHolder, _ id: FactorID? = nil, outcome: AuditEntry.Outcome = .success,
        details: JSONValue = [:], in tx: Transaction
    ) throws {
        let object =
            id.map { AuditObject(kind: "factor", id: $0.text) }
            ?? AuditObject(kind: "account", id: holder.account.principal.text)
        try signIn.audit.record(
            AuditEntry(
                code, tenant: holder.account.tenant, actor: holder.actor, object: object, outcome: outcome,
                details: details),
            in: tx)
    }

    /// Tells an account's holder by mail, so that nobody's factors change unnoticed. Where no mail can be sent, the audit
    /// log has it.
    func tell(_ account: Account, _ subject: String, _ text: String, in tx: Transaction) throws {
        let note = OutboundNote(
            to: account.address, subject: subject,
            text: "\(text)\n\nIf this was not you, tell your administrator at once.\n")
        _ = try signIn.send(note, account.tenant, tx)
    }

    /// The one answer to a wrong, used or expired code and a wrong signature.
    static let wrong = Refusal(
        .forbidden, "factor.wrong", "That is wrong, was used before or has expired. Try again.")

    static let unknown = Refusal(.notFound, "factor.unknown", "You have no such factor.")
}
