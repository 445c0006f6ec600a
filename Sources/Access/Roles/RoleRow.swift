import Base
import Storage

/// Custom roles between their table and memory; permissions are words joined by spaces.
enum RoleRow {
    static func all(tenant: TenantID, in tx: Transaction) throws -> [Role] {
        try tx.scoped(to: tenant).rows("SELECT id, name, permissions FROM custom_role WHERE tenant = $1 ORDER BY name")
            .map(read)
    }

    static func find(_ id: RoleID, tenant: TenantID, in tx: Transaction) throws -> Role? {
        try tx.scoped(to: tenant).row(
            "SELECT id, name, permissions FROM custom_role WHERE tenant = $1 AND id = $2", id
        ).map(read)
    }

    static func find(_ name: String, tenant: TenantID, in tx: Transaction) throws -> Role? {
        try tx.scoped(to: tenant).row(
            "SELECT id, name, permissions FROM custom_role WHERE tenant = $1 AND name = $2", name
        ).map(read)
    }

    static func put(_ role: Role, tenant: TenantID, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO custom_role (tenant, id, name, permissions) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, permissions = excluded.permissions
            """, role.id, role.name, words(role.permissions))
    }

    private static func read(_ row: Row) throws -> Role {
        guard let name = Name(try row.text(1)) else { throw StorageError(.corrupt, "a role's row is not readable") }
        return Role(id: try row.identifier(0), name: name, permissions: permissions(try row.text(2)), isBuiltIn: false)
    }

    static func words(_ permissions: Set<Permission>) -> String {
        permissions.map(\.rawValue).sorted().joined(separator: " ")
    }

    /// The permissions in a role's column; one that a newer program brought in is unknown here and allows nothing.
    static func permissions(_ text: String) -> Set<Permission> {
        Set(text.split(separator: " ").compactMap { Permission(rawValue: String($0)) })
    }
}
