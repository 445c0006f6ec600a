import Base
import Storage

/// What factors a tenant demands of everybody, or of a role's holders, in their table.
enum FactorPolicyRow {
    /// Stands for everybody of the tenant.
    static let everybody = RoleID(high: 0, low: 0)

    /// Every demand of a tenant.
    static func all(tenant: TenantID, in tx: Transaction) throws -> [(role: RoleID, level: FactorLevel)] {
        try tx.scoped(to: tenant).rows(
            "SELECT role, level FROM factor_policy WHERE tenant = $1 ORDER BY role"
        ).map { row in
            // A level that this version does not know is the strongest one, never none.
            (try row.identifier(0), FactorLevel(rawValue: try row.text(1)) ?? .passkey)
        }
    }

    /// Demands this level of a role's holders, or of everybody.
    static func set(_ level: FactorLevel, role: RoleID, tenant: TenantID, in tx: Transaction) throws {
        if level == .none {
            try tx.scoped(to: tenant).execute("DELETE FROM factor_policy WHERE tenant = $1 AND role = $2", role)
            return
        }
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO factor_policy (tenant, role, level) VALUES ($1, $2, $3)
            ON CONFLICT (tenant, role) DO UPDATE SET level = excluded.level
            """, role, level.rawValue)
    }
}
