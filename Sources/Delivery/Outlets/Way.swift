import Base
import Storage
import Trust

/// What carries the deliveries of a lane: an outlet of the tenant or the platform, or the operator's mail server.
struct Way: Sendable {
    /// Whose breaker counts: the outlet's own, shared by all tenants that send through it.
    var breaker: Lane
    var path: OutletPath
    var secret: String?
    /// False for the operator's own mail server.
    var isGuarded = true
}

extension Delivery {
    /// The breaker of the operator's mail server.
    static let operatorsMail = Lane.mail(.platform)

    /// What carries deliveries of a lane now, nil when there is nothing.
    ///
    /// Mail and SMS leave by the tenant's own outlet, else by the platform's, else by the operator's mail server.
    func way(for lane: Lane, _ kind: DeliveryKind, in transaction: Transaction) throws -> Way? {
        switch kind {
        case .mail, .sms:
            if let own = try firstOutlet(kind, of: lane.tenant, in: transaction) { return own }
            if lane.tenant != .platform, let shared = try firstOutlet(kind, of: .platform, in: transaction) {
                return shared
            }
            guard kind == .mail, let server = settings.mailServer else { return nil }
            return Way(breaker: Self.operatorsMail, path: .mail(server), secret: server.password, isGuarded: false)
        case .webhook, .syslog:
            let row = try transaction.scoped(to: lane.tenant).row(
                "SELECT \(Outlet.columns), secret FROM outlet WHERE tenant = $1 AND id = $2 AND kind = $3", lane.id,
                kind.rawValue)
            guard let row else { throw Self.unknownOutlet }
            return try row.bool(5) ? way(row, of: lane.tenant, in: transaction) : nil
        }
    }

    /// The tenant's outlet of this kind that is in use; of several the one that was made first.
    private func firstOutlet(
        _ kind: DeliveryKind, of tenant: TenantID, in transaction: Transaction
    ) throws -> Way? {
        let row = try transaction.scoped(to: tenant).row(
            """
            SELECT \(Outlet.columns), secret FROM outlet WHERE tenant = $1 AND kind = $2 AND active = 1
            ORDER BY id LIMIT 1
            """, kind.rawValue)
        return try row.map { try way($0, of: tenant, in: transaction) }
    }

    /// The way through the outlet in a row of `Outlet.columns` and the secret.
    func way(_ row: Row, of tenant: TenantID, in transaction: Transaction) throws -> Way {
        let outlet = try Outlet(row)
        let secret = try row.blobIfAny(8).map { sealed in
            String(
                decoding: try keyRing.open(
                    sealed, at: DeliverySchema.secretColumn.place(tenant, row: outlet.id), in: transaction),
                as: UTF8.self)
        }
        return Way(
            breaker: Lane(tenant: tenant, id: outlet.id), path: try OutletPath(outlet.kind, outlet.settings),
            secret: secret)
    }

    static let unknownOutlet = Refusal(.notFound, "outlet.unknown", "There is no such outlet, or it is not for you.")
}
