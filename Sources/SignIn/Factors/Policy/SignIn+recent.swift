package import Access
package import Base
package import Storage

extension SignIn {
    /// When the holder of this session or access token last proved themselves, nil when never.
    package func lastProof(of principal: Principal, in tx: Transaction) throws -> Timestamp? {
        guard let credential = principal.credential else { return nil }
        return try tx.scoped(to: principal.tenant).row(
            """
            SELECT max(proved) FROM (
                SELECT proved FROM sign_in_session WHERE tenant = $1 AND credential = $2
                UNION ALL
                SELECT proved FROM step_up WHERE tenant = $1 AND credential = $2
            ) AS proofs
            """, credential.id)?.timestampIfAny(0)
    }

    /// Refuses a dangerous act of a person who has not proved themselves within the last minutes.
    ///
    /// A program proves itself with each request, so nothing more can be asked of it; what it may do is limited by its
    /// scopes. The operator at the server's own socket has the server itself.
    package func requireRecent(_ principal: Principal, for act: DangerousAct, in tx: Transaction) throws {
        guard principal.kind == .user else { return }
        let proved = try lastProof(of: principal, in: tx)
        let limit = clock.now - .seconds(SignInLimits.recentMinutes * 60)
        guard let proved, proved > limit else {
            throw Refusal(
                .forbidden, "signin.stepUp",
                "To \(act.sentence), prove once more that it is you; that counts for \(SignInLimits.recentMinutes) minutes."
            )
        }
    }

    /// Notes that the holder of a session or access token has proved themselves again, by this factor or by password.
    func renewProof(of principal: Principal, by method: FactorMethod?, in tx: Transaction) throws {
        guard let credential = principal.credential else { return }
        let (scoped, now) = (tx.scoped(to: principal.tenant), clock.now)
        let session = try scoped.row(
            "SELECT factors FROM sign_in_session WHERE tenant = $1 AND credential = $2", credential.id)
        if let session {
            let factors = Self.methods(try session.text(0)).union(method.map { [$0] } ?? [])
            try scoped.execute(
                "UPDATE sign_in_session SET proved = $3, factors = $4 WHERE tenant = $1 AND credential = $2",
                credential.id, now, Self.words(factors))
            return
        }
        try scoped.execute(
            """
            INSERT INTO step_up (tenant, credential, proved) VALUES ($1, $2, $3)
            ON CONFLICT (tenant, credential) DO UPDATE SET proved = excluded.proved
            """, credential.id, now)
    }
}
