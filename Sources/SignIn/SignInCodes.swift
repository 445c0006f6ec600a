public import Audit

extension AuditCode {
    /// Somebody was invited.
    public static let accountInvited = AuditCode("account.invited", "Somebody was invited to have an account.")
    /// An invitation was answered.
    public static let accountActivated = AuditCode("account.activated", "An account was taken up by its holder.")
    /// An account's name or allow-list was changed.
    public static let accountChanged = AuditCode("account.changed", "An account's name or allow-list was changed.")
    /// A link was made.
    public static let linkMade = AuditCode(
        "link.made", "A single-use link was made; details carry what for, and whether it was shown or mailed.")
    /// A link was used.
    public static let linkUsed = AuditCode("link.used", "A single-use link was used.")
    /// A password was set or changed.
    public static let passwordChanged = AuditCode("password.changed", "A password was set or changed.")
    /// Somebody signed in.
    public static let sessionOpened = AuditCode("session.opened", "Somebody signed in; the object is the session.")
    /// Sign-ins to an account were refused.
    public static let signInRefused = AuditCode(
        "signin.refused", "Sign-ins to an account were refused: a wrong password, too many attempts, or not from there."
    )
    /// A session was ended before its time.
    public static let sessionEnded = AuditCode("session.ended", "A session was ended by its holder or for them.")
    /// A session ended by itself.
    public static let sessionExpired = AuditCode(
        "session.expired", "A session ended by itself: unused for too long, or at its greatest age.")
    /// The rules of sign-in were changed.
    public static let signInPolicyChanged = AuditCode("signin.policy", "The rules of sign-in were changed.")

    /// Every code that this part records.
    public static let signIn: [AuditCode] = [
        accountInvited, accountActivated, accountChanged, linkMade, linkUsed, passwordChanged, sessionOpened,
        signInRefused, sessionEnded, sessionExpired, signInPolicyChanged,
    ]
}
