/// Every bound of sign-in, on one page.
public enum SignInLimits {
    /// Characters of an e-mail address (RFC 5321, section 4.5.3.1.3).
    public static let addressCharacters = 254
    /// Characters of a browser's own description that are kept.
    public static let userAgentCharacters = 256
    /// Characters of a password; NIST SP 800-63B-4 asks for 64 at least to be allowed.
    public static let passwordCharacters = 256
    /// Bytes of a password, so that a long one costs no more than its hash.
    public static let passwordBytes = 1024
    /// Address ranges in one allow-list.
    public static let addressRanges = 100
    /// Minutes for which a sign-in may wait for its second step.
    public static let pendingMinutes: Int64 = 10
    /// Sign-ins of one account that may wait for their second step at once.
    public static let pendingPerAccount = 10
    /// Hours for which the set-up link counts.
    public static let setUpHours: Int64 = 1
    /// Hours for which a link to a new password counts.
    public static let resetHours: Int64 = 1
    /// Days for which an invitation counts.
    public static let invitationDays: Int64 = 7
    /// Minutes between two mails with a link to the same account.
    public static let linkMinutes: Int64 = 5
    /// Requests for a new password that wait to be worked off.
    public static let resetRequests = 256
    /// Sessions of one account at once; one more ends the one that was used longest ago.
    public static let sessionsPerAccount = 25
    /// Rows of one page.
    public static let page = 1000
    /// Days for which an ended session and a used link can be reviewed.
    public static let reviewDays: Int64 = 90
    /// Rows that one clean-up statement removes.
    public static let removedRows = 2000
}
