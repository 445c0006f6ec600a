public import Base

/// What proved a principal in this call, and how far it reaches.
public struct Credential: Sendable, Hashable {
    /// The sorts of credentials, each with a door of its own.
    public enum Kind: String, Sendable, CaseIterable {
        /// An API key: a program sends it with each request.
        case token
        /// A person's sign-in; a browser keeps it.
        case session
        /// An access token that the authorization server gave a program.
        case access
    }

    /// The stable identifier.
    public let id: CredentialID
    /// What sort of credential it is.
    public let kind: Kind
    /// What may be used through it of what its principal holds; nil is all.
    public let permissions: Set<Permission>?

    init(id: CredentialID, kind: Kind, permissions: Set<Permission>? = nil) {
        self.id = id
        self.kind = kind
        self.permissions = permissions
    }
}

/// What a new credential shall be.
public struct CredentialDraft: Sendable {
    /// What sort of credential.
    public var kind: Credential.Kind
    /// The tenant of its principal.
    public var tenant: TenantID
    /// Who is proved by it.
    public var principal: PrincipalID
    /// The name for people.
    public var name: String
    /// What may be used through it of what its principal holds; nil is all.
    public var permissions: Set<Permission>?
    /// From where it may be used; empty is anywhere.
    public var addresses: [AddressRange] = []
    /// When it ends, if it does.
    public var expires: Timestamp?
    /// After how long without use it ends, if it does.
    public var idle: Duration?
    /// The address it was asked for from.
    public var address: String?
    /// What the asking program calls itself.
    public var agent: String?

    /// A credential of this kind for a principal, without any limit yet.
    public init(_ kind: Credential.Kind, of principal: PrincipalID, tenant: TenantID, name: String) {
        self.kind = kind
        self.tenant = tenant
        self.principal = principal
        self.name = name
    }
}

/// A credential as its holder and administrators see it; the secret itself is shown once, when it is made.
public struct CredentialInfo: Sendable, Hashable {
    /// The stable identifier.
    public let id: CredentialID
    /// What sort of credential it is.
    public let kind: Credential.Kind
    /// Who acts with it.
    public let principal: PrincipalID
    /// The name for people.
    public let name: String
    /// What may be used through it of what its principal holds; nil is all.
    public let permissions: Set<Permission>?
    /// From where it may be used; empty is anywhere.
    public let addresses: [AddressRange]
    /// When it was made.
    public let created: Timestamp
    /// When it ends, if it does.
    public let expires: Timestamp?
    /// After how long without use it ends, if it does.
    public let idle: Duration?
    /// When it was last used, to the minute.
    public let lastUsed: Timestamp?
    /// When it was ended early, if it was.
    public let revoked: Timestamp?
    /// The address it was asked for from.
    public let address: String?
    /// What the asking program called itself.
    public let agent: String?

    /// When it ends by itself, as far as is known without further use.
    public var ends: Timestamp? {
        let idleEnd = idle.map { (lastUsed ?? created) + $0 }
        guard let expires else { return idleEnd }
        return idleEnd.map { min($0, expires) } ?? expires
    }

    /// Whether it counts at this time.
    public func isLive(at now: Timestamp) -> Bool { revoked == nil && ends.map { $0 > now } ?? true }
}
