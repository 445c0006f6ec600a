package import Base
package import Storage
import Synchronization

/// What the parts above know about credentials that are decided here; each says it when it is put together.
package final class CredentialRules: Sendable {
    /// Whether a person may come from this address.
    package typealias Admits = @Sendable (PrincipalID, TenantID, _ address: String?, Transaction) throws -> Bool
    /// Ends what could be exchanged for new credentials of a principal, or of everybody of the tenant when none is named,
    /// except what belongs to a credential that stays.
    package typealias End = @Sendable (PrincipalID?, TenantID, _ kept: CredentialID?, Transaction) throws -> Void

    private let admits = Mutex<Admits?>(nil)
    private let ends = Mutex<[End]>([])

    /// Says from where a person may come: accounts and their allow-lists are sign-in's.
    package func setAdmits(_ admits: @escaping Admits) { self.admits.withLock { $0 = admits } }

    /// Says what ends together with all of a principal's access, such as refresh tokens.
    package func addEnd(_ end: @escaping End) { ends.withLock { $0.append(end) } }

    /// Whether the person may come from this address; anybody may from anywhere where nobody has accounts.
    package func admit(_ person: PrincipalID, of tenant: TenantID, from address: String?, in tx: Transaction) throws
        -> Bool
    {
        try admits.withLock { $0 }?(person, tenant, address, tx) ?? true
    }

    func end(
        _ principal: PrincipalID?, of tenant: TenantID, except kept: CredentialID?, in tx: Transaction
    ) throws {
        for end in ends.withLock({ $0 }) { try end(principal, tenant, kept, tx) }
    }
}

extension Access {
    /// Refuses whoever acts in a tenant by a share: what they make there must not outlive the share, as a right, a
    /// credential, a way into somebody's account or a rule of sign-in would.
    package func requireOwn(_ principal: Principal, of tenant: TenantID) throws {
        guard principal.tenant == tenant || principal.isLocalAdministrator else {
            throw Refusal(
                .forbidden, "share.outlived",
                "Who is here by a share makes nothing that would outlive it. An administrator of this tenant can do it."
            )
        }
    }
}
