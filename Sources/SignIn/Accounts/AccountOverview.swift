public import Access
public import Base
import Storage

/// An account as a list of people shows it: with the kinds of factors that its holder has and the roles they hold.
public struct AccountOverview: Sendable, Hashable {
    /// The account.
    public let account: Account
    /// The kinds of factors that prove its holder beside the password; recovery codes aside.
    public let factors: Set<FactorMethod>
    /// The names of the roles that they hold anywhere in the tenant, by themselves or by a user group.
    public let roles: [String]
}

extension SignIn {
    /// The people of a tenant by address, after `address`.
    public func people(
        tenant: TenantID, after address: String = "", limit: Int = 100, by principal: Principal
    ) async throws -> [AccountOverview] {
        try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalRead, tenant: tenant, in: tx)
            let accounts = try AccountRow.page(
                after: address, limit: min(max(limit, 1), SignInLimits.page), tenant: tenant, in: tx)
            return try overview(of: accounts, tenant: tenant, in: tx)
        }
    }

    /// One of the people, by the address or the principal's name or identifier.
    public func person(_ user: String, tenant: TenantID, by principal: Principal) async throws -> AccountOverview {
        try await database.tenant(tenant).read { tx in
            let account = try self.account(user, tenant: tenant, needs: .principalRead, by: principal, in: tx)
            guard let person = try overview(of: [account], tenant: tenant, in: tx).first else {
                throw Access.unknown("user")
            }
            return person
        }
    }

    private func overview(
        of accounts: [Account], tenant: TenantID, in tx: Transaction
    ) throws -> [AccountOverview] {
        let principals = accounts.map(\.principal)
        let factors = try FactorRow.methods(of: principals, tenant: tenant, in: tx)
        let roles = try access.roleNames(of: principals, tenant: tenant, in: tx)
        return accounts.map {
            AccountOverview(account: $0, factors: factors[$0.principal] ?? [], roles: roles[$0.principal] ?? [])
        }
    }
}
