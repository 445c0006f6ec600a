public import Access

/// How a listener learns who calls.
public enum CallerSource: Sendable {
    /// From the bearer token of each request.
    case bearer
    /// Whoever can open the socket is this principal: the file's mode is the credential.
    case fixed(Principal)
}
