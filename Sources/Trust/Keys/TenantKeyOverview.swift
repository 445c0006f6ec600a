public import Base
public import Storage

/// One generation of a tenant's key, without the key.
public struct TenantKeyOverview: Sendable, Hashable {
    /// Its number: 1 is the first.
    public let generation: UInt32
    /// When it was made.
    public let made: Timestamp
    /// Since when it only opens what it has sealed; nil while it seals.
    public let retired: Timestamp?
}

extension KeyRing {
    /// The generations of a tenant's key that there are, the newest first. What is retired stays until nothing needs it.
    public func overview(of tenant: TenantID, in transaction: Transaction) throws -> [TenantKeyOverview] {
        try transaction.scoped(to: tenant).rows(
            "SELECT version, created_at, retired_at FROM tenant_key WHERE tenant = $1 ORDER BY version DESC"
        ).map {
            TenantKeyOverview(
                generation: try $0.keyVersion(0), made: try $0.timestamp(1), retired: try $0.timestampIfAny(2))
        }
    }

    /// The columns that hold sealed values, each of which has a key of its own derived from the tenant's.
    public var purposes: [String] { columns.map { "\($0.table).\($0.column)" }.sorted() }
}
