public import Base
import Synchronization

/// All tenants and plans in memory, for whoever must know them without a database: the device side.
///
/// Access changes it after each commit and before the caller gets an answer.
public final class TenantDirectory: Sendable {
    private struct State {
        var tenants: [TenantID: Tenant] = [:]
        var bySlug: [TenantSlug: TenantID] = [:]
        var plans: [PlanID: Plan] = [:]
    }

    private let state = Mutex(State())

    /// A directory without tenants.
    public init() {}

    /// The tenant with this identifier.
    public func tenant(_ id: TenantID) -> Tenant? { state.withLock { $0.tenants[id] } }

    /// The tenant with this slug.
    public func tenant(_ slug: TenantSlug) -> Tenant? {
        state.withLock { state in state.bySlug[slug].flatMap { state.tenants[$0] } }
    }

    /// The plan of a tenant.
    public func plan(of tenant: TenantID) -> Plan? {
        state.withLock { state in state.tenants[tenant].flatMap { state.plans[$0.plan] } }
    }

    /// All tenants, in no order.
    public var tenants: [Tenant] { state.withLock { Array($0.tenants.values) } }

    func replace(tenants: [Tenant], plans: [Plan]) {
        state.withLock { state in
            state = State()
            for tenant in tenants {
                state.tenants[tenant.id] = tenant
                state.bySlug[tenant.slug] = tenant.id
            }
            for plan in plans { state.plans[plan.id] = plan }
        }
    }

    func put(_ tenant: Tenant) {
        state.withLock { state in
            state.tenants[tenant.id] = tenant
            state.bySlug[tenant.slug] = tenant.id
        }
    }

    func put(_ plan: Plan) { state.withLock { $0.plans[plan.id] = plan } }

    func remove(_ tenant: TenantID) {
        state.withLock { state in
            if let slug = state.tenants.removeValue(forKey: tenant)?.slug { state.bySlug[slug] = nil }
        }
    }
}
