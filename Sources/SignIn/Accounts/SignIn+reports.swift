package import Access
package import Base
package import Storage

extension SignIn {
    /// The account that a report is mailed to: the caller's own, or another one of the tenant by its address. Who may
    /// not order for others learns nothing about them.
    package func reportAccount(
        _ address: String?, tenant: TenantID, by principal: Principal
    ) async throws -> Account {
        try await database.tenant(tenant).read { tx in
            let none = Refusal(
                .invalid, "report.recipient", "Nobody who may see this report has this address here.")
            guard let address, address.lowercased() != ownAddress(of: principal, tenant, in: tx) else {
                guard let own = try AccountRow.find(principal.id, tenant: tenant, in: tx)?.account else { throw none }
                return own
            }
            try access.authorize(principal, .reportManage, tenant: tenant, in: tx)
            guard let found = try AccountRow.find(address.lowercased(), tenant: tenant, in: tx)?.account else {
                throw none
            }
            return found
        }
    }

    /// The account of somebody to whom a report is mailed.
    package func reportAccount(_ principal: PrincipalID, tenant: TenantID) async throws -> Account? {
        try await database.tenant(tenant).read { try AccountRow.find(principal, tenant: tenant, in: $0)?.account }
    }

    /// The addresses of those of these people who can sign in.
    package func addresses(
        of principals: [PrincipalID], tenant: TenantID, in tx: Transaction
    ) throws -> [PrincipalID: String] {
        var addresses: [PrincipalID: String] = [:]
        for principal in principals {
            guard let account = try AccountRow.find(principal, tenant: tenant, in: tx)?.account,
                account.status == .active
            else { continue }
            addresses[principal] = account.address.text
        }
        return addresses
    }

    /// Where the people's pages are.
    package var peoplePlace: String { place(.people) }

    private func ownAddress(of principal: Principal, _ tenant: TenantID, in tx: Transaction) -> String? {
        guard let stored = try? AccountRow.find(principal.id, tenant: tenant, in: tx) else { return nil }
        return stored.account.address.text
    }
}
