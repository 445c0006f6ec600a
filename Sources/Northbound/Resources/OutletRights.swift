package import Access
package import Base
package import Delivery
package import Storage

/// What acts on outlets and deliveries take: the API and the console ask here, so that neither is a way around the
/// other.
extension DeliveryKind {
    /// Whether links and codes to people's accounts leave by it.
    package var carriesLinks: Bool { self == .mail || self == .sms }
}

extension Access {
    /// Decides whether somebody may make, change, switch or delete an outlet with these settings, the old and the new.
    ///
    /// Beside `delivery.manage`, what audit entries leave by, or left by, takes the right to export them. Mail servers
    /// and SMS gateways carry the links and codes to everybody's account, so whoever decides about them could be anybody
    /// there: that takes all that anybody there can hold, and a proof a short while ago. Those of the platform carry them
    /// for every tenant. Who is here by a share sets up no way out that would outlive it.
    package func authorizeOutlet(
        _ principal: Principal, _ kind: DeliveryKind, _ settings: [JSONValue], of tenant: TenantID, in tx: Transaction
    ) throws {
        try authorize(principal, .deliveryManage, tenant: tenant, in: tx)
        try requireOwn(principal, of: tenant)
        if settings.contains(where: { Delivery.streamsAudit(kind, $0) }) {
            try demand(principal, .auditExport, of: tenant, in: tx)
        }
        guard kind.carriesLinks else { return }
        try demand(principal, .principalManage, of: tenant, in: tx)
        let most = tenant == .platform ? Role.platformAdmin : Role.owner
        try requireHolding(most.permissions, principal, tenant: tenant, in: tx)
        try proof.require(principal, for: .accounts, in: tx)
    }

    /// Decides whether somebody may read deliveries of this kind, or send them again to wherever they go by now; nil is
    /// every kind. The events of webhooks are entries of the audit log.
    package func authorizeDeliveries(
        _ principal: Principal, _ kind: DeliveryKind?, of tenant: TenantID, in tx: Transaction
    ) throws {
        try authorize(principal, .deliveryManage, tenant: tenant, in: tx)
        if kind == nil || kind == .webhook { try demand(principal, .auditRead, of: tenant, in: tx) }
    }

    /// Who may do part of it is told what is missing, whether or not they may see what that is about.
    private func demand(
        _ principal: Principal, _ permission: Permission, of tenant: TenantID, in tx: Transaction
    ) throws {
        do {
            try authorize(principal, permission, tenant: tenant, in: tx)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            throw Refusal(
                .forbidden, "access.forbidden", "This takes the permission \(permission.rawValue) as well.")
        }
    }
}
