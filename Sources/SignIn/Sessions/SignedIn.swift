public import Access
public import Base

/// Somebody who is signed in, as each request of a browser finds out anew.
public struct SignedIn: Sendable {
    /// Who acts.
    public let principal: Principal
    /// Their account.
    public let account: Account
    /// Their tenant.
    public let tenant: Tenant
    /// The session.
    public let session: CredentialID
    /// What every form of this session carries and other sites can not know.
    public let csrfKey: String
    /// When they last proved themselves in this session: by signing in, or by a step-up since.
    public let proved: Timestamp
    /// The factors proved beside the password.
    public let factors: Set<FactorMethod>
}

/// A session as its holder and administrators see it.
public struct SessionInfo: Sendable, Hashable {
    /// The session: a credential, by which the audit log tells what was done.
    public let id: CredentialID
    /// Whose it is.
    public let principal: PrincipalID
    /// From where it was opened.
    public let address: String?
    /// The browser's own description.
    public let userAgent: String?
    /// The factors proved beside the password.
    public let factors: Set<FactorMethod>
    /// When it was opened.
    public let opened: Timestamp
    /// When it was last used, to the minute.
    public let lastUsed: Timestamp?
    /// When it ends without further use.
    public let expires: Timestamp?
    /// When it was ended early.
    public let ended: Timestamp?
    /// Whether it counts now.
    public let isLive: Bool
    /// Whether it is the one that asks.
    public let isCurrent: Bool
}
