public import Access
public import Base
import Storage

/// Somebody of a tenant as those see them who review what everybody may do.
public struct ReviewedPerson: Sendable, Hashable {
    /// Who.
    public let principal: PrincipalInfo
    /// Their account; nil for programs.
    public let account: Account?
    /// What they can prove themselves with beside a password.
    public let factors: Set<FactorMethod>
    /// Each role that they hold, and where, by what and until when.
    public let reach: [Reach]
}

extension SignIn {
    /// What everybody of a tenant holds, by name, after `name`; who comes by a share is told apart.
    public func accessReview(
        tenant: TenantID, after name: String = "", limit: Int, by principal: Principal
    ) async throws -> [ReviewedPerson] {
        try await database.tenant(tenant).read { tx in
            try access.review(tenant: tenant, after: name, limit: limit, by: principal, in: tx).map { reviewed in
                let id = reviewed.principal.id
                return ReviewedPerson(
                    principal: reviewed.principal, account: try AccountRow.find(id, tenant: tenant, in: tx)?.account,
                    factors: Set(try FactorRow.confirmed(of: id, tenant: tenant, in: tx).map(\.method)),
                    reach: reviewed.reach)
            }
        }
    }

    /// What people of other tenants hold in this one by shares.
    public func foreignReview(tenant: TenantID, by principal: Principal) async throws -> [Reach] {
        try await database.tenant(tenant).read { try access.reviewForeign(tenant: tenant, by: principal, in: $0) }
    }

    /// Who holds what at one domain.
    public func accessReview(domain: String, tenant: TenantID, by principal: Principal) async throws -> [Reach] {
        try await database.tenant(tenant).read {
            try access.review(domain: domain, tenant: tenant, by: principal, in: $0)
        }
    }
}
