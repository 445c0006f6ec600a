public import Base

/// What factors a tenant demands.
public struct FactorPolicy: Sendable, Hashable {
    /// Of everybody who has an account in the tenant.
    public var everybody: FactorLevel
    /// Of the holders of a role beyond that, wherever in the tenant they hold it.
    public var roles: [RoleID: FactorLevel]
}
