import Audit
import Base
import Testing
import Trust

@testable import Access
@testable import Storage

/// Rights of the first schema after the migrations to the present one.
@Suite struct AccessMigrationTests {
    @Test("grants, shares, roles and tokens of the first schema count as before", arguments: TestDatabase.engines)
    func first(engine: TestDatabase.Engine) async throws {
        try await engine.withLocation { location in
            let database = try await Database.open(location, options: TestDatabase.options)
            let others = [TrustSchema.part, AuditSchema.part]
            try await database.migrate(others + [AccessSchema.part.prefix(1)])
            let (tenant, other) = (TenantID(high: 9, low: 1), TenantID(high: 9, low: 2))
            let (ada, plant, role) = (
                PrincipalID(high: 1, low: 1), DomainID(high: 2, low: 1), RoleID(high: 3, low: 1)
            )
            try await database.platform.write { platform in
                let tx = platform.scoped(to: tenant)
                try tx.execute(
                    """
                    INSERT INTO role_grant (tenant, id, principal, role, domain, expires, created)
                    VALUES ($1, $2, $3, $4, $5, NULL, 7)
                    """, GrantID(high: 4, low: 1), ada, role, plant)
                try tx.execute(
                    """
                    INSERT INTO share (tenant, id, grantee, grantee_role, role, domain, status, ends, offered, answered)
                    VALUES ($1, $2, $3, $4, $5, $6, 'accepted', 99, 7, 8)
                    """, ShareID(high: 5, low: 1), other, Role.viewer.id, role, plant)
                for (id, name, words) in [
                    (role, "mine", "device.manage device.read"),
                    (RoleID(high: 3, low: 2), "technician", "device.read"),
                    (RoleID(high: 3, low: 3), "plain", "my.device.manages"),
                ] {
                    try tx.execute(
                        "INSERT INTO custom_role (tenant, id, name, permissions) VALUES ($1, $2, $3, $4)", id, name,
                        words)
                }
            }
            try await database.migrate(others + [AccessSchema.part])
            try await database.tenant(tenant).read { tx in
                let grants = try tx.rows("SELECT \(Access.grantColumns) FROM role_grant WHERE tenant = $1")
                    .map(Access.readGrant)
                #expect(grants.count == 1)
                #expect(grants.first?.holder == .principal(ada) && grants.first?.role == role)
                #expect(grants.first?.domain == plant && grants.first?.device == nil)
                let share = try #require(
                    try tx.row("SELECT domain, device, status, ends, grantee FROM share WHERE tenant = $1"))
                #expect(try share.identifier(0) == plant && share.isNull(1) && share.text(2) == "accepted")
                #expect(try share.integer(3) == 99 && share.identifier(4) == other)
                let roles = try RoleRow.all(tenant: tenant, in: tx)
                #expect(roles.map(\.name.text) == ["mine", "plain", "technician-custom"])
                #expect(roles.first?.permissions == [.deviceManage, .deviceRead, .deviceControl])
                #expect(roles.dropFirst().first?.permissions == [])
            }
            await database.close()
        }
    }
}
