public import Audit
public import Base

/// Who acts: somebody who has proved who they are.
///
/// Only this target makes one, after it has checked a credential, so that holding a value is the proof.
public struct Principal: Sendable, Hashable {
    /// What sort of principal it is.
    public enum Kind: String, Sendable {
        /// A person.
        case user
        /// A program with a credential of its own.
        case client
        /// A device.
        case device
        /// The server's own operator, on its own machine.
        case system
    }

    /// The stable identifier.
    public let id: PrincipalID
    /// What sort of principal it is.
    public let kind: Kind
    /// The tenant it belongs to.
    public let tenant: TenantID
    /// The name for people.
    public let name: String
    /// The credential that proved it, with what it may be used for.
    public let credential: Credential?
    /// The network address it calls from.
    public let address: String?

    init(
        id: PrincipalID, kind: Kind, tenant: TenantID, name: String, credential: Credential?, address: String?
    ) {
        self.id = id
        self.kind = kind
        self.tenant = tenant
        self.name = name
        self.credential = credential
        self.address = address
    }

    /// The operator at the server's own socket, whom the file's permission has admitted.
    ///
    /// It holds every right in every tenant, because whoever can open the socket can read the database and the keys
    /// anyway; what it does in a tenant is in that tenant's log like everybody's.
    public static let localAdministrator = Principal(
        id: PrincipalID(high: 0, low: 1), kind: .system, tenant: .platform, name: "local", credential: nil, address: nil
    )

    /// The server itself, where it carries out what an administrator has decided beforehand; the log tells which part.
    package static func acting(as part: String) -> Principal {
        Principal(
            id: localAdministrator.id, kind: .system, tenant: .platform, name: part, credential: nil, address: nil)
    }

    /// True for the operator at the server's own socket, and for the server itself.
    public var isLocalAdministrator: Bool { kind == .system && id == Self.localAdministrator.id }

    /// The principal as the log names it when it acts in its own tenant; see ``actor(in:)``.
    public var actor: Actor { actor(in: tenant) }

    /// The principal as the log of `tenant` names it: with its home when it is another one.
    public func actor(in tenant: TenantID) -> Actor {
        let kind: Actor.Kind =
            switch self.kind {
            case .user: .user
            case .client: .client
            case .device: .device
            case .system: .system
            }
        return Actor(
            kind: kind, id: kind == .system ? name : id.text, name: name, credential: credential?.id.text,
            address: address, home: tenant == self.tenant ? nil : self.tenant)
    }
}
