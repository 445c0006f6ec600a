public import Base

/// Who did something, as the audit log names them.
public struct Actor: Sendable, Hashable {
    /// What sort of actor it is.
    public enum Kind: String, Sendable, CaseIterable {
        /// A person.
        case user
        /// A program that calls the API with its own credential.
        case client
        /// A device.
        case device
        /// The server itself, or the operator on the server's own machine.
        case system
        /// Somebody who has not proved who they are.
        case unknown
    }

    /// What sort of actor it is.
    public var kind: Kind
    /// The stable name that the log is searched by: an identifier's text, a word for the system, empty when unknown.
    public var id: String
    /// The name for people; a personal detail, so it is stored encrypted.
    public var name: String
    /// The credential that proved who it is: a token's or certificate's stable name, never the secret.
    public var credential: String?
    /// The network address it came from; a personal detail, so it is stored encrypted.
    public var address: String?
    /// The actor's own tenant, when it acts in another one through a share.
    public var home: TenantID?

    /// An actor with these traits.
    public init(
        kind: Kind, id: String, name: String, credential: String? = nil, address: String? = nil, home: TenantID? = nil
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.credential = credential
        self.address = address
        self.home = home
    }

    /// A part of the server that acts by itself, such as `retention`.
    public static func system(_ name: String) -> Actor { Actor(kind: .system, id: name, name: name) }

    /// Somebody at this address who has not proved who they are.
    public static func unknown(address: String?) -> Actor { Actor(kind: .unknown, id: "", name: "", address: address) }
}
