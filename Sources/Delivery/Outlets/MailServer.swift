/// A mail server that takes mails for delivery, over TLS only.
public struct MailServer: Hashable, Sendable {
    /// How the connection becomes a TLS connection.
    public enum Security: String, Sendable, CaseIterable {
        /// It begins in the clear and must turn to TLS before anything is said (usual on port 587).
        case starttls
        /// It is TLS from the first byte (usual on port 465).
        case tls
    }

    /// The server's host name or address.
    public var host: String
    /// The port.
    public var port: Int
    /// How TLS begins.
    public var security: Security
    /// Who signs in; nobody when nil.
    public var user: String?
    /// The password of the user.
    public var password: String?
    /// The address that mails come from.
    public var from: MailAddress
    /// The name beside that address.
    public var fromName: String
    /// The certificates (PEM) to trust instead of the system's.
    public var authorities: String?

    /// A server at this address.
    public init(
        host: String, port: Int, security: Security, user: String? = nil, password: String? = nil, from: MailAddress,
        fromName: String = "", authorities: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.from = from
        self.fromName = fromName
        self.authorities = authorities
    }
}
