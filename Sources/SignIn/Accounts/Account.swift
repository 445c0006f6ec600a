public import Base

/// Where accounts live apart: the platform's staff have accounts, sessions and a listener of their own.
public enum Realm: String, Sendable, CaseIterable {
    /// The people of tenants.
    case people
    /// The staff who run the deployment.
    case platform

    /// The realm of a tenant's accounts.
    public init(of tenant: TenantID) { self = tenant == .platform ? .platform : .people }
}

/// A person's account: what a user principal signs in with.
public struct Account: Sendable, Hashable {
    /// Whether somebody can sign in with it.
    public enum Status: String, Sendable, CaseIterable {
        /// Its holder has not yet answered the invitation.
        case invited
        /// It works.
        case active
        /// An administrator has disabled it.
        case disabled
    }

    /// The tenant it belongs to.
    public let tenant: TenantID
    /// Who acts with it.
    public let principal: PrincipalID
    /// The e-mail address, unique in the tenant.
    public let address: MailAddress
    /// The person's name.
    public internal(set) var name: String
    /// Whether somebody can sign in with it.
    public internal(set) var status: Status
    /// Whether it has a password; one who signs in elsewhere needs none.
    public let hasPassword: Bool
    /// Whether the next sign-in asks for a new password.
    public internal(set) var mustChangePassword: Bool
    /// From where its holder may sign in; anywhere when empty.
    public internal(set) var addressRanges: [AddressRange]
    /// When it was made.
    public let created: Timestamp
    /// When its holder last signed in.
    public let lastSignIn: Timestamp?

    /// The realm it lives in.
    public var realm: Realm { Realm(of: tenant) }
}
