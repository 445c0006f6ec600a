public import Access
public import Base
public import Trust

/// Marks identifiers of OAuth clients.
public enum ClientKind {}
/// Names an OAuth client.
public typealias ClientID = Identifier<ClientKind>

/// A program that is registered to get access tokens.
public struct Client: Sendable {
    /// How a program proves which one it is.
    public enum Method: String, Sendable, CaseIterable {
        /// It can not, because it runs at people's and keeps no secret.
        case none
        /// With a shared secret.
        case secret
        /// With an assertion that it signs (RFC 7523).
        case key
        /// With the certificate that it connects with (RFC 8705).
        case certificate

        /// The method in the words of the standards.
        var wireNames: [String] {
            switch self {
            case .none: ["none"]
            case .secret: ["client_secret_basic", "client_secret_post"]
            case .key: ["private_key_jwt"]
            case .certificate: ["self_signed_tls_client_auth"]
            }
        }
    }

    /// A way of getting a token.
    public enum Flow: String, Sendable, CaseIterable {
        /// For itself, as a principal with rights of its own.
        case itself
        /// For a person, through their browser and a code.
        case code
        /// For a person at another machine, who types a code.
        case device

        /// The flow as a grant type.
        var wireName: String {
            switch self {
            case .itself: "client_credentials"
            case .code: "authorization_code"
            case .device: "urn:ietf:params:oauth:grant-type:device_code"
            }
        }
    }

    /// The identifier that it gives as `client_id`.
    public let id: String
    /// The tenant that registered it; nil for the program's own, which serves them all.
    public let tenant: TenantID?
    /// Who it is when it acts for itself.
    public let principal: PrincipalID?
    /// The name for people.
    public let name: String
    /// How it proves which one it is.
    public let method: Method
    /// How it may get tokens.
    public let flows: Set<Flow>
    /// Where answers for it may go.
    public let redirects: [RedirectURI]
    /// What its tokens may be used for at most; nil is all that the principal holds.
    public let permissions: Set<Permission>?
    /// The public keys that check its assertions.
    public let keys: JSONValue?
    /// The certificate that it connects with.
    public let certificate: Fingerprint?
    /// When it was registered.
    public let created: Timestamp
    let secretHash: [UInt8]?

    /// `tidegate login`, which every server knows.
    public static let commandLine = Client(
        id: "tidegate", tenant: nil, principal: nil, name: "tidegate (command line)", method: .none, flows: [.device],
        redirects: [], permissions: nil, keys: nil, certificate: nil, created: Timestamp(microseconds: 0),
        secretHash: nil)
}

/// What a new client shall be.
public struct ClientDraft: Sendable {
    /// The name for people.
    public var name: String
    /// How it proves which one it is.
    public var method: Client.Method
    /// How it may get tokens.
    public var flows: Set<Client.Flow>
    /// Where answers for it may go.
    public var redirects: [String] = []
    /// What its tokens may be used for at most; nil is all that the principal holds.
    public var permissions: Set<Permission>?
    /// The role that it holds itself, when it may get tokens for itself.
    public var role: String?
    /// Where it holds the role; nil is the whole tenant.
    public var domain: String?
    /// Why it may hold the role; needed when that is an administrator's.
    public var reason: String?
    /// The public keys that check its assertions, as a key set.
    public var keys: JSONValue?
    /// The certificate that it connects with.
    public var certificate: Fingerprint?

    /// A client of this name without anything yet.
    public init(name: String, method: Client.Method, flows: Set<Client.Flow>) {
        self.name = name
        self.method = method
        self.flows = flows
    }
}
