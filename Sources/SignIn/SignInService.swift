public import Base
public import Logging
public import ServiceLifecycle
import Storage

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
                try await signIn.sendResetLinks()
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
