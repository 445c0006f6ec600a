import Trust

/// A way to prove oneself beside the password.
public enum FactorMethod: String, Sendable, CaseIterable {
    /// A passkey (WebAuthn).
    case passkey
    /// A code from an authenticator program (RFC 6238).
    case totp
    /// A code sent to a verified telephone.
    case sms
    /// One of the codes on the sheet for emergencies.
    case recovery
}

/// What an account needs beside its password.
public enum FactorDemand: Sendable, Hashable {
    /// Nothing.
    case none
    /// One of these.
    case factor([FactorMethod])
    /// It must set one up first, because the tenant or a role demands it.
    case enrolment
}

/// The secret of a sign-in that waits for its second step.
public struct PendingSecret: Sendable, CustomStringConvertible {
    /// The text, for a form or a cookie of the browser that signs in.
    public let text: String

    /// The secret spelt by `text`, or nil when it can not be one.
    public init?(_ text: some StringProtocol) {
        guard let token = Token(text), token.kind == Self.kind else { return nil }
        self.text = token.text
    }

    init(_ token: Token) { text = token.text }

    static let kind = "pending"

    var hash: [UInt8] { Token.hash(of: text) }

    /// The kind only, so that it stays secret in a log.
    public var description: String { "tg_pending_…" }
}

/// The secret of a session, which is all that a browser's cookie holds.
public struct SessionSecret: Sendable, CustomStringConvertible {
    /// The text for the cookie.
    public let text: String

    init(_ token: Token) { text = token.text }

    /// The kind only, so that it stays secret in a log.
    public var description: String { "tg_session_…" }
}

/// How a sign-in goes on.
public enum Step: Sendable {
    /// It is done.
    case done(SessionSecret)
    /// One of these factors is to be proved.
    case factor(PendingSecret, [FactorMethod])
    /// A factor is to be set up first.
    case enrolFactor(PendingSecret)
    /// A new password is to be chosen first.
    case newPassword(PendingSecret)
}
