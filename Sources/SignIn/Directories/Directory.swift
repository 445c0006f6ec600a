public import Base

/// Marks identifiers of directories.
public enum DirectoryKind {}
/// Names a directory.
public typealias DirectoryID = Identifier<DirectoryKind>

/// Where a tenant's people are known already, and sign in with what they have there.
public struct Directory: Sendable, Hashable {
    /// How a directory is asked.
    public enum Means: Sendable, Hashable {
        /// By OpenID Connect: the person signs in there, and this server is told who it is.
        case openID(OpenIDSettings)
        /// By LDAP: the person types their password here, and the directory is asked whether it is right.
        case ldap(LDAPSettings)
    }

    /// The stable identifier.
    public let id: DirectoryID
    /// The tenant whose people are there.
    public let tenant: TenantID
    /// The name, unique in the tenant, for people to choose by.
    public let name: Name
    /// Whether somebody can sign in by it.
    public let isEnabled: Bool
    /// Whether somebody who is new gets an account at their first sign-in, when a group of theirs has a role.
    public let createsAccounts: Bool
    /// Whether an account that there is already is taken for the person whom the directory knows by its address.
    public let linksAddresses: Bool
    /// What groups there are worth here.
    public let groups: [GroupRule]
    /// How it is asked.
    public let means: Means
}

/// What belonging to a group of a directory is worth: a role at a domain, as long as somebody belongs to it.
public struct GroupRule: Sendable, Hashable {
    /// The group as the directory writes it, compared exactly.
    public let group: String
    /// The role, by name or identifier.
    public let role: String
    /// The domain, by path or identifier; the whole tenant when nil.
    public let domain: String?

    /// This role at this domain for that group.
    public init(group: String, role: String, domain: String? = nil) {
        self.group = group
        self.role = role
        self.domain = domain
    }
}

/// How an OpenID provider is asked.
public struct OpenIDSettings: Sendable, Hashable {
    /// The provider's name, which is the address its documents are found at.
    public var issuer: String
    /// This server's name at the provider.
    public var client: String
    /// What is asked for.
    public var scope: String
    /// The claim that names the person's groups.
    public var groupsClaim: String
    /// The certificates to trust, in PEM form, instead of the system's.
    public var authorities: String?

    /// A provider by its issuer and this server's name there.
    public init(
        issuer: String, client: String, scope: String = "openid profile email", groupsClaim: String = "groups",
        authorities: String? = nil
    ) {
        self.issuer = issuer
        self.client = client
        self.scope = scope
        self.groupsClaim = groupsClaim
        self.authorities = authorities
    }
}

/// How an LDAP directory is asked.
public struct LDAPSettings: Sendable, Hashable {
    /// The server: `ldaps://host[:port]`, or `ldap://host[:port]`, which is turned to TLS before anything is said.
    public var server: String
    /// Below which entry people and groups are.
    public var base: String
    /// Who searches; nobody in particular when nil.
    public var searcher: String?
    /// What finds the entry of a person, with `{user}` for what they typed.
    public var filter: String
    /// The attribute with the person's name.
    public var nameAttribute: String
    /// The attribute with the mail address.
    public var mailAttribute: String
    /// The attribute of a person that names their groups.
    public var groupAttribute: String
    /// What finds the groups of a person, with `{dn}` and `{user}`; not asked when nil.
    public var groupFilter: String?
    /// The certificates to trust, in PEM form, instead of the system's.
    public var authorities: String?

    /// A server with the usual attributes.
    public init(
        server: String, base: String, searcher: String? = nil, filter: String = "(&(objectClass=person)(uid={user}))",
        nameAttribute: String = "cn", mailAttribute: String = "mail", groupAttribute: String = "memberOf",
        groupFilter: String? = nil, authorities: String? = nil
    ) {
        self.server = server
        self.base = base
        self.searcher = searcher
        self.filter = filter
        self.nameAttribute = nameAttribute
        self.mailAttribute = mailAttribute
        self.groupAttribute = groupAttribute
        self.groupFilter = groupFilter
        self.authorities = authorities
    }
}

/// What a directory shall be.
public struct DirectoryDraft: Sendable {
    /// Whether somebody can sign in by it.
    public var isEnabled: Bool
    /// Whether somebody who is new gets an account at their first sign-in.
    public var createsAccounts: Bool
    /// Whether an account that there is already is taken for the person with its address.
    public var linksAddresses: Bool
    /// What groups there are worth here.
    public var groups: [GroupRule]
    /// How it is asked.
    public var means: Directory.Means
    /// The secret of this server there, or the password of who searches; nil keeps the one there is.
    public var secret: String?

    /// A directory that is asked like this, enabled, which makes no accounts.
    public init(_ means: Directory.Means, secret: String? = nil) {
        self.means = means
        self.secret = secret
        isEnabled = true
        createsAccounts = false
        linksAddresses = false
        groups = []
    }
}
