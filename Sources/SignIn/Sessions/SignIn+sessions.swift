public import Access
import Audit
public import Base
import Storage
import Trust

extension SignIn {
    /// A session that would count, if no more were demanded by now than was proved when it was opened.
    public static let sessionOutgrown = Refusal(
        .unauthenticated, "session.outgrown",
        "You were signed out because your organisation asks for more at sign-in now: sign in again, and prove or set up "
            + "what you are asked for.")

    /// A session that would count somewhere else.
    public static let sessionElsewhere = Refusal(
        .unauthenticated, "session.elsewhere",
        "You were signed out because your organisation lets you in from certain networks only, and this is none of "
            + "them: come by one of them, or ask an administrator.")

    /// Who holds this session; one refusal for unknown, ended, expired and any other realm's. Who does hold it is told
    /// when rules for signing in keep it from counting.
    ///
    /// `isUse` says whether this keeps the session from its idle end: a page that stays open does not.
    public func session(_ secret: String, from origin: Origin, isUse: Bool = true) async throws -> SignedIn {
        let ended = Refusal(.unauthenticated, "session.invalid", "The session has ended. Sign in again.")
        let principal = try await access.authenticate(session: secret, address: origin.address, isUse: isUse)
        guard Realm(of: principal.tenant) == origin.realm, let session = principal.credential?.id,
            let tenant = liveTenant(principal.tenant)
        else { throw ended }
        return try await database.tenant(principal.tenant).read { tx in
            guard let account = try AccountRow.find(principal.id, tenant: principal.tenant, in: tx)?.account,
                account.status == .active,
                let row = try tx.row(
                    "SELECT factors, proved FROM sign_in_session WHERE tenant = $1 AND credential = $2", session)
            else { throw ended }
            guard try admits(account, from: origin.address, in: tx) else { throw Self.sessionElsewhere }
            // What is demanded may have been raised since.
            guard try rule.isEnough(Self.methods(try row.text(0)), for: account, in: tx) else {
                throw Self.sessionOutgrown
            }
            return SignedIn(
                principal: principal, account: account, tenant: tenant, session: session,
                csrfKey: Token.hash(of: "csrf " + secret).hex, proved: try row.timestamp(1),
                factors: Self.methods(try row.text(0)))
        }
    }

    /// Whether account and tenant let the holder come from this address.
    func admits(_ account: Account, from address: String?, in tx: Transaction) throws -> Bool {
        try AddressRanges.admit(address, account.addressRanges)
            && AddressRanges.admit(address, policy(of: account.tenant, in: tx).addressRanges)
    }

    /// The same for what programs hold of somebody; who has yet to set up a factor that is demanded lets nobody act for
    /// them. A principal that a program made for itself has no account.
    func admits(_ person: PrincipalID, of tenant: TenantID, from address: String?, in tx: Transaction) throws -> Bool {
        guard let account = try AccountRow.find(person, tenant: tenant, in: tx.scoped(to: tenant))?.account else {
            return true
        }
        guard account.status == .active, try admits(account, from: address, in: tx) else { return false }
        let owned = try FactorRow.confirmed(of: person, tenant: tenant, in: tx).map(\.method)
        return try rule.isEnough(Set(owned), for: account, in: tx)
    }

    /// Ends the session of this secret; one that has ended already is no fault.
    public func signOut(_ secret: String, from origin: Origin) async throws {
        guard let signedIn = try? await session(secret, from: origin, isUse: false) else { return }
        try await database.tenant(signedIn.account.tenant).write { tx -> Void in
            guard try access.end(signedIn.session, of: signedIn.account.tenant, in: tx) != nil else { return }
            try access.record(
                .sessionEnded, signedIn.account.tenant, by: signedIn.principal, "session", signedIn.session.text, in: tx
            )
        }
    }

    /// The sessions of a user, the newest first: one's own, or anybody's for who may see principals.
    public func sessions(of user: String, tenant: TenantID, by principal: Principal) async throws -> [SessionInfo] {
        try await database.tenant(tenant).read { tx in
            let account = try self.account(user, tenant: tenant, needs: .principalRead, by: principal, in: tx)
            var factors: [CredentialID: Set<FactorMethod>] = [:]
            let rows = try tx.rows(
                "SELECT credential, factors FROM sign_in_session WHERE tenant = $1 AND principal = $2",
                account.principal)
            for row in rows { factors[try row.identifier(0)] = Self.methods(try row.text(1)) }
            let now = clock.now
            return try access.credentials(of: account.principal, tenant: tenant, kinds: [.session], in: tx).map {
                SessionInfo($0, factors[$0.id] ?? [], now: now, asking: principal)
            }
        }
    }

    /// Ends a session of a user, or all but the caller's own when none is named, and then what programs hold for the user
    /// as well: one's own, or anybody's for who manages principals.
    public func endSessions(
        of user: String, _ id: CredentialID? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx -> Void in
            let account = try self.account(user, tenant: tenant, needs: .principalManage, by: principal, in: tx)
            let ended: [CredentialInfo]
            if let id {
                let known = try access.credential(id, of: tenant, in: tx)
                guard known?.kind == .session, known?.principal == account.principal else {
                    throw Access.unknown("session")
                }
                ended = try access.end(id, of: tenant, in: tx).map { [$0] } ?? []
            } else {
                ended = try access.endAll(
                    of: account.principal, tenant: tenant, kinds: [.session, .access],
                    except: principal.credential?.id, in: tx)
            }
            for info in ended where info.kind == .session {
                try access.record(
                    .sessionEnded, tenant, by: principal, "session", info.id.text,
                    details: ["principal": .string(account.principal.text)], in: tx)
            }
        }
    }

    /// Opens a session; every sign-in has a secret of its own, so what a browser held before is worth nothing.
    func open(
        _ account: Account, factors: Set<FactorMethod>, from origin: Origin, in tx: Transaction
    ) throws -> SessionSecret {
        let now = clock.now
        let policy = try self.policy(of: account.tenant, in: tx)
        let live = try access.credentials(of: account.principal, tenant: account.tenant, kinds: [.session], in: tx)
            .filter { $0.isLive(at: now) }.sorted { ($0.lastUsed ?? $0.created) > ($1.lastUsed ?? $1.created) }
        for info in live.dropFirst(SignInLimits.sessionsPerAccount - 1) {
            try access.end(info.id, of: account.tenant, in: tx)
        }
        var draft = CredentialDraft(.session, of: account.principal, tenant: account.tenant, name: account.address.text)
        draft.expires = now + .seconds(Int64(policy.sessionHours) * 3600)
        draft.idle = .seconds(Int64(policy.idleMinutes) * 60)
        draft.address = origin.address
        draft.agent = origin.userAgent
        let (info, secret) = try access.open(draft, in: tx)
        try tx.scoped(to: account.tenant).execute(
            """
            INSERT INTO sign_in_session (tenant, credential, principal, factors, opened, proved)
            VALUES ($1, $2, $3, $4, $5, $5)
            """, info.id, account.principal, Self.words(factors), now)
        try AccountRow.noteSignIn(of: account, at: now, in: tx)
        try record(
            .sessionOpened, by: account, from: origin, credential: info.id,
            AuditObject(kind: "session", id: info.id.text),
            details: [
                "factors": .string(Self.words(factors)), "userAgent": .string(origin.userAgent ?? ""),
            ], in: tx)
        return SessionSecret(secret)
    }

    /// Ends an account's sessions, one excepted, as when its password changes.
    func endSessions(of account: Account, except session: CredentialID?, in tx: Transaction) throws {
        let ended = try access.endAll(
            of: account.principal, tenant: account.tenant, kinds: [.session, .access], except: session, in: tx)
        for info in ended where info.kind == .session {
            try audit.record(
                AuditEntry(
                    .sessionEnded, tenant: account.tenant, actor: .system("sign-in"),
                    object: AuditObject(kind: "session", id: info.id.text)), in: tx)
        }
        try tx.acrossTenants.execute(
            "DELETE FROM pending_sign_in WHERE owner = $1 AND principal = $2", account.tenant, account.principal)
    }

    static func words(_ methods: Set<FactorMethod>) -> String {
        methods.map(\.rawValue).sorted().joined(separator: " ")
    }

    static func methods(_ text: String) -> Set<FactorMethod> {
        Set(text.split(separator: " ").compactMap { FactorMethod(rawValue: String($0)) })
    }
}
