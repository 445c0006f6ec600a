/// A no in the words of OAuth (RFC 6749, sections 4.1.2.1 and 5.2; RFC 7009; RFC 8628, section 3.5).
public struct OAuthError: Error, Hashable, Sendable {
    /// The codes that programs understand.
    public enum Code: String, Sendable {
        /// Something is missing, there twice, or of a wrong form.
        case invalidRequest = "invalid_request"
        /// The program has not proved which one it is.
        case invalidClient = "invalid_client"
        /// The code, token or assertion is wrong, over, used, or another program's.
        case invalidGrant = "invalid_grant"
        /// The program may not ask in this way.
        case unauthorizedClient = "unauthorized_client"
        /// There is no such way of asking here.
        case unsupportedGrantType = "unsupported_grant_type"
        /// The scope is unknown, or more than may be given.
        case invalidScope = "invalid_scope"
        /// The person said no.
        case accessDenied = "access_denied"
        /// Only codes are given out.
        case unsupportedResponseType = "unsupported_response_type"
        /// The person must be asked, and may not be.
        case consentRequired = "consent_required"
        /// Requests as tokens are not taken.
        case requestNotSupported = "request_not_supported"
        /// Requests at an address are not taken.
        case requestURINotSupported = "request_uri_not_supported"
        /// The person has not answered yet.
        case authorizationPending = "authorization_pending"
        /// The program asks too often.
        case slowDown = "slow_down"
        /// The person did not answer in time.
        case expiredToken = "expired_token"
        /// Such tokens are not kept here.
        case unsupportedTokenType = "unsupported_token_type"
        /// It may work later.
        case temporarilyUnavailable = "temporarily_unavailable"
        /// The server failed.
        case serverError = "server_error"
    }

    /// The code.
    public let code: Code
    /// What happened and what to do, for whoever writes the program.
    public let sentence: String

    /// A no with this code.
    public init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    /// Equal when the codes are.
    public static func == (left: OAuthError, right: OAuthError) -> Bool { left.code == right.code }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// One answer for every program that is unknown, wrong or ended.
    static let unknownClient = OAuthError(
        .invalidClient, "The client is unknown or ended, or has not proved that it is the one.")
}
