import Base
import Storage
import Trust

/// What carries the deliveries of a lane: an outlet of the tenant or the platform, or the operator's mail server.
struct Way: Sendable {
    /// The outlet; the operator's mail server has one, too.
    var outlet: OutletID
    /// Whose failures count.
    var breakers: BreakerKeys
    var path: OutletPath
    var secret: String?
    /// False for the operator's own mail server.
    var isGuarded = true
}

extension Delivery {
    /// What stands for the operator's mail server.
    static let operatorsMail = OutletID(high: 0, low: 3)

    /// What carries deliveries of a lane now, nil when there is nothing.
    ///
    /// Mail and SMS leave by the tenant's own outlet, else by the platform's, else by the operator's mail server.
    func way(for lane: Lane, _ kind: DeliveryKind, in transaction: Transaction) throws -> Way? {
        switch kind {
        case .mail, .sms:
            for owner in Self.owners(for: lane.tenant) {
                let row = try transaction.scoped(to: owner).row(
                    """
                    SELECT \(Outlet.columns), secret FROM outlet WHERE tenant = $1 AND kind = $2 AND active = 1
                    ORDER BY id LIMIT 1
                    """, kind.rawValue)
                if let row { return try way(row, of: owner, for: lane.tenant, in: transaction) }
            }
            guard kind == .mail, let server = settings.mailServer else { return nil }
            return Way(
                outlet: Self.operatorsMail,
                breakers: BreakerKeys(Self.operatorsMail, of: .platform, for: lane.tenant, isMessage: true),
                path: .mail(server), secret: server.password, isGuarded: false)
        case .webhook, .syslog:
            let row = try transaction.scoped(to: lane.tenant).row(
                "SELECT \(Outlet.columns), secret FROM outlet WHERE tenant = $1 AND id = $2 AND kind = $3", lane.id,
                kind.rawValue)
            guard let row else { throw Self.unknownOutlet }
            return try row.bool(5) ? way(row, of: lane.tenant, for: lane.tenant, in: transaction) : nil
        }
    }

    /// Whose outlets carry a tenant's mails and text messages, in their order.
    private static func owners(for tenant: TenantID) -> [TenantID] {
        tenant == .platform ? [tenant] : [tenant, .platform]
    }

    /// Whose failures count for a lane, found without opening any secret; nil where there is no outlet.
    func breakerKeys(of lane: Lane, _ kind: DeliveryKind, in transaction: Transaction) throws -> BreakerKeys? {
        guard kind == .mail || kind == .sms else {
            return BreakerKeys(lane.id, of: lane.tenant, for: lane.tenant, isMessage: false)
        }
        for owner in Self.owners(for: lane.tenant) {
            let row = try transaction.scoped(to: owner).row(
                "SELECT id FROM outlet WHERE tenant = $1 AND kind = $2 AND active = 1 ORDER BY id LIMIT 1",
                kind.rawValue)
            if let row {
                return BreakerKeys(try row.identifier(0), of: owner, for: lane.tenant, isMessage: true)
            }
        }
        guard kind == .mail, settings.mailServer != nil else { return nil }
        return BreakerKeys(Self.operatorsMail, of: .platform, for: lane.tenant, isMessage: true)
    }

    /// The way of a tenant's deliveries through an outlet, in a row of `Outlet.columns` and the secret, of its owner.
    func way(_ row: Row, of owner: TenantID, for tenant: TenantID, in transaction: Transaction) throws -> Way {
        let outlet = try Outlet(row)
        let secret = try row.blobIfAny(8).map { sealed in
            String(
                decoding: try keyRing.open(
                    sealed, at: DeliverySchema.secretColumn.place(owner, row: outlet.id), in: transaction),
                as: UTF8.self)
        }
        return Way(
            outlet: outlet.id,
            breakers: BreakerKeys(
                outlet.id, of: owner, for: tenant, isMessage: outlet.kind == .mail || outlet.kind == .sms),
            path: try OutletPath(outlet.kind, outlet.settings), secret: secret)
    }

    static let unknownOutlet = Refusal(.notFound, "outlet.unknown", "There is no such outlet, or it is not for you.")
}
