public import Base
public import Storage

extension Tenant {
    /// The tenant of this slug as a database has it, for commands that look at one without a server.
    public static func stored(_ slug: TenantSlug, in database: Database) async throws -> Tenant? {
        try await database.platform.read { try TenantRow.find(slug, in: $0) }
    }
}
