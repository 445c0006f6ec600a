import Access
import Audit
public import Base
public import Logging
public import ServiceLifecycle
package import Storage

/// What sign-in does beside answering: mails links to new passwords, and forgets what has ended.
public struct SignInService: Service {
    private let signIn: SignIn
    private let logger: Logger
    private static let interval = Duration.seconds(1)

    /// The service of this part.
    public init(_ signIn: SignIn, logger: Logger) {
        self.signIn = signIn
        self.logger = logger
    }

    /// Works until the server stops.
    public func run() async throws {
        var round = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                await signIn.sendResetLinks(log: logger)
                if round.isMultiple(of: 60) { try await signIn.noteExpired() }
                if round.isMultiple(of: 600) { try await signIn.removeEnded() }
            } catch {
                logger.error("sign-in is behind with its own work", metadata: ["error": "\(error)"])
            }
            round &+= 1
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
    }
}

extension SignIn {
    /// Removes waiting sign-ins that took too long, and links and sessions that ended long ago.
    package func removeEnded() async throws {
        let now = clock.now
        let before = now - .seconds(SignInLimits.reviewDays * 86_400)
        for (table, column, time) in [
            ("pending_sign_in", "expires", now), ("used_challenge", "expires", now),
            ("account_link", "expires", before),
            ("sign_in_session", "opened", before),
        ] {
            let key = table == "sign_in_session" ? "credential" : "hash"
            let sql = """
                DELETE FROM \(table) WHERE \(key) IN (
                    SELECT \(key) FROM \(table) WHERE \(column) < $1 LIMIT \(SignInLimits.removedRows))
                """
            while try await database.platform.write({ try $0.acrossTenants.execute(sql, time) }) > 0 {}
        }
        let forgotten = now - .seconds(SignInLimits.trustedNetworkDays * 86_400)
        try await database.platform.write { tx -> Void in
            try tx.acrossTenants.execute("DELETE FROM factor_guess WHERE last < $1", forgotten)
            try tx.acrossTenants.execute(
                "DELETE FROM step_up WHERE proved < $1", now - .seconds(SignInLimits.recentMinutes * 60))
        }
    }

    /// Notes in the log which sessions have ended by themselves: nobody did it, so nothing else would tell when.
    package func noteExpired() async throws {
        let now = clock.now
        try await database.platform.write { tx -> Void in
            // A session's last use is written with a delay.
            let rows = try tx.acrossTenants.rows(
                """
                SELECT s.tenant, s.credential, s.principal, k.revoked, k.expires, k.idle,
                    COALESCE(k.last_used, k.created) AS used
                FROM sign_in_session s LEFT JOIN credential k ON k.id = s.credential
                WHERE s.closed = 0 AND (k.id IS NULL OR k.revoked IS NOT NULL OR k.expires <= $1
                    OR COALESCE(k.last_used, k.created) + k.idle <= $2)
                LIMIT \(SignInLimits.removedRows)
                """, now, now - .seconds(SignInLimits.expiryDelay))
            for row in rows {
                let tenant: TenantID = try row.identifier(0)
                let (session, principal): (CredentialID, PrincipalID) = (try row.identifier(1), try row.identifier(2))
                try tx.acrossTenants.execute(
                    "UPDATE sign_in_session SET closed = 1 WHERE tenant = $1 AND credential = $2", tenant, session)
                // Those that somebody ended are in the log already.
                guard row.isNull(3), let expires = try row.timestampIfAny(4), let used = try row.timestampIfAny(6)
                else { continue }
                try audit.record(
                    AuditEntry(
                        .sessionExpired, tenant: tenant, actor: .system("sign-in"),
                        object: AuditObject(kind: "session", id: session.text),
                        details: [
                            "principal": .string(principal.text), "lastUsed": .string(used.rfc3339),
                            "why": expires <= now ? "age" : "idle",
                        ]), in: tx)
            }
        }
    }

    /// Ends every link and sign-in under way of a database that no server uses.
    package static func endWaiting(at now: Timestamp, in tx: Transaction) throws {
        try tx.acrossTenants.execute("UPDATE account_link SET ended = $1 WHERE ended IS NULL", now)
        try tx.acrossTenants.execute("DELETE FROM pending_sign_in")
        try tx.acrossTenants.execute("DELETE FROM directory_visit")
    }

    /// Removes all that this part keeps of a tenant that is being deleted.
    public func purge(_ tenant: TenantID) async throws {
        for (table, column, key) in [
            ("account", "tenant", "principal"), ("sign_in_session", "tenant", "credential"),
            ("sign_in_policy", "tenant", "tenant"), ("account_link", "owner", "hash"),
            ("pending_sign_in", "owner", "hash"), ("factor", "tenant", "id"), ("recovery_code", "tenant", "principal"),
            ("text_code", "tenant", "principal"), ("factor_guess", "tenant", "principal"),
            ("factor_policy", "tenant", "role"), ("step_up", "tenant", "credential"),
        ] {
            let sql = """
                DELETE FROM \(table) WHERE \(column) = $1 AND \(key) IN (
                    SELECT \(key) FROM \(table) WHERE \(column) = $1 LIMIT \(SignInLimits.removedRows))
                """
            while try await database.tenant(tenant).write({ try $0.execute(sql) }) > 0 {}
        }
    }
}
