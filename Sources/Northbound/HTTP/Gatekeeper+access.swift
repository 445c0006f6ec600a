import Access
import Audit
import Base

extension Gatekeeper {
    /// The gatekeeper of a real server: rights by Access, rates by the tenant's plan, refusals to the audit log.
    init(access: Access, audit: AuditLog, clock: WallClock, metrics: Metrics) {
        let tenants = RateLimiter<TenantID>(clock: clock)
        let principals = RateLimiter<PrincipalID>(clock: clock)
        let addresses = RateLimiter<String>(clock: clock)
        let limited = metrics.counter("tidegate_http_limited_total", "Requests refused because of a rate.")
        let refused = metrics.counter(
            "tidegate_http_unauthenticated_total", "Requests refused for want of a valid token.")
        self.init(
            authenticate: { try await access.authenticate(bearer: $0, address: $1) },
            admit: { try await Self.admit($0, $1, $2, access, audit) },
            count: { principal, tenant in
                if principal.isLocalAdministrator { return }
                // A platform that is not loaded yet has no plan; then the standard one counts.
                let rate = access.directory.plan(of: tenant.id)?.requestsPerSecond ?? NorthboundLimits.requestsPerSecond
                let wait = principals.take(principal.id, perSecond: rate) ?? tenants.take(tenant.id, perSecond: rate)
                guard let wait else { return }
                limited.add()
                throw Refusal(
                    .limited, "rate.exceeded", "The tenant's plan allows \(rate) requests a second. Send fewer.",
                    retryAfter: wait)
            },
            countRefused: { address, refusal in
                refused.add()
                let source = address ?? "unknown"
                audit.refuse(source: source, code: refusal.code)
                guard let wait = addresses.take(source, perSecond: NorthboundLimits.refusedCredentialsPerSecond) else {
                    return
                }
                limited.add()
                throw Refusal(
                    .limited, "rate.refusedCredentials", "Too many requests from this address without a valid token.",
                    retryAfter: wait)
            },
            noteStaff: { try await access.noteStaff($0, in: $1, operation: $2, object: $3) })
    }

    private static func admit(
        _ principal: Principal, _ requirement: Route.Requirement, _ slug: TenantSlug, _ access: Access,
        _ audit: AuditLog
    ) async throws -> Tenant {
        guard case .permission(let permission) = requirement else {
            return try found(access.directory.tenant(slug))
        }
        let place = permission.isPlatformOnly ? .platform : slug
        if let tenant = try await admitted(principal, permission, place, access) {
            return place == slug ? tenant : try found(access.directory.tenant(slug))
        }
        // Whoever runs the platform may know which tenants there are, though not what is in them.
        if permission == .tenantRead, try await admitted(principal, .platformManage, .platform, access) != nil {
            return try found(access.directory.tenant(slug))
        }
        guard let tenant = access.directory.tenant(place) else { throw notHere }
        audit.deny(
            AuditEntry(
                .denied, tenant: tenant.id, actor: principal.actor(in: tenant.id),
                object: AuditObject(kind: "permission", id: permission.rawValue), outcome: .denied))
        // Who may see such things here may be told what is lacking; the answer is the same for every object.
        if permission.revealing != permission, !permission.isPlatformOnly,
            try await admitted(principal, permission.revealing, slug, access) != nil
        {
            throw Refusal(
                .forbidden, "access.forbidden",
                "You may see this but not do that; it takes the permission \(permission.rawValue).")
        }
        throw notHere
    }

    /// The tenant, or nil when it is absent or not for the caller.
    private static func admitted(
        _ principal: Principal, _ permission: Permission, _ slug: TenantSlug, _ access: Access
    ) async throws -> Tenant? {
        do {
            return try await access.admit(principal, permission, to: slug)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            return nil
        }
    }

    private static func found(_ tenant: Tenant?) throws -> Tenant {
        guard let tenant else { throw notHere }
        return tenant
    }
}
