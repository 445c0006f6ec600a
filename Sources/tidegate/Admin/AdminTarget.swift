/// The server that a command talks to.
enum AdminTarget: Sendable {
    /// One on this machine, through its socket; the file's permission is the credential.
    case socket(String)
    /// One anywhere, by TLS and token, without one when it is empty; `trust` is a PEM file of certificates, the system's when nil.
    case https(host: String, port: Int, token: String, trust: String?)
}
