public import Audit

extension AuditCode {
    /// A client of the authorization server was registered.
    public static let clientCreated = AuditCode("client.created", "An OAuth client was registered.")
    /// A client's secret was replaced.
    public static let clientSecretReplaced = AuditCode(
        "client.secretReplaced", "An OAuth client got a new secret; the old one is refused.")
    /// A client was ended with everything it had.
    public static let clientEnded = AuditCode("client.ended", "An OAuth client was ended with all its tokens.")
    /// A person let a program act for them.
    public static let consentGiven = AuditCode("oauth.consentGiven", "A person let a program act for them.")
    /// A person did not let a program act for them.
    public static let consentRefused = AuditCode("oauth.consentRefused", "A person refused to let a program in.")
    /// A program got a token.
    public static let accessIssued = AuditCode("oauth.issued", "A program got an access token.")
    /// A program got its next token for a refresh token.
    public static let accessRefreshed = AuditCode(
        "oauth.refreshed", "A program exchanged a refresh token for new tokens.")
    /// A program was refused a token.
    public static let accessRefused = AuditCode("oauth.refused", "A known program was refused a token.")
    /// A code or refresh token was used twice.
    public static let accessReused = AuditCode(
        "oauth.reused", "A code or refresh token was used a second time, so everything given for it was ended.")
    /// A token was ended by its program.
    public static let accessEnded = AuditCode("oauth.ended", "A program's tokens were ended.")

    /// Every code that this part records.
    public static let oauth: [AuditCode] = [
        clientCreated, clientSecretReplaced, clientEnded, consentGiven, consentRefused, accessIssued, accessRefreshed,
        accessRefused, accessReused, accessEnded,
    ]
}
