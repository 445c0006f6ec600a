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
    /// How often such a request is tried while the database does not answer.
    public static let resetTries = 30
    /// Sessions of one account at once; one more ends the one that was used longest ago.
    public static let sessionsPerAccount = 25
    /// Rows of one page.
    public static let page = 1000
    /// Days for which an ended session and a used link can be reviewed.
    public static let reviewDays: Int64 = 90
    /// Seconds after a session's idle end at which the log tells of it: its last use is written with a delay.
    public static let expiryDelay: Int64 = 240
    /// Rows that one clean-up statement removes.
    public static let removedRows = 2000
    /// Passkeys of one account.
    public static let passkeys = 20
    /// Authenticator programs of one account: each one's codes make guessing easier.
    public static let authenticators = 3
    /// Telephones of one account.
    public static let telephones = 2
    /// Minutes for which a factor waits for its first code.
    public static let confirmMinutes: Int64 = 15
    /// Recovery codes on one sheet.
    public static let recoveryCodes = 10
    /// Letters of a recovery code: 120 bits.
    public static let recoveryCharacters = 24
    /// Bytes of a code as somebody typed it.
    public static let typedBytes = 64
    /// Bytes of a text in a QR code.
    public static let pictureBytes = 512
    /// Seconds after a right code for which the same one again is no wrong guess.
    public static let repetitionSeconds: Int64 = 30
    /// Networks whose wrong guesses are counted apart, for each method of an account.
    public static let guessNetworks = 32
    /// Days for which a network counts as the holder's after they were right there.
    public static let trustedNetworkDays: Int64 = 30
    /// Addresses of somebody's sessions in these days that are compared.
    public static let knownAddresses = 1000
    /// Minutes for which a proof is recent enough for an act that asks for one.
    public static let recentMinutes: Int64 = 10
    /// Minutes for which a passkey's ceremony may take.
    public static let ceremonyMinutes: Int64 = 5
    /// Bytes of what a browser says about a ceremony.
    public static let clientDataBytes = 4096
    /// Bytes of a new passkey with its attestation.
    public static let attestationBytes = 16 << 10
    /// Bytes of what an authenticator says.
    public static let authenticatorDataBytes = 4096
    /// Bytes of a signature; the longest is RSA's.
    public static let signatureBytes = 1024
    /// Bytes of a passkey's identifier (WebAuthn, section 4).
    public static let credentialBytes = 1023
    /// Bytes of the name that an authenticator keeps of its holder.
    public static let userHandleBytes = 64
    /// Bytes of a challenge.
    public static let challengeBytes = 512
    /// Letters of a code by text message.
    public static let textCharacters = 6
    /// Seconds for which such a code counts.
    public static let textSeconds: Int64 = 100
    /// Tries that such a code allows.
    public static let textTries: Int64 = 3
    /// Seconds between two such codes to one account.
    public static let textPauseSeconds: Int64 = 30
    /// Minutes over which such codes are counted.
    public static let textWindowMinutes: Int64 = 60
    /// Such codes to one account in that time.
    public static let textsPerWindow: Int64 = 5
    /// Characters of the reason for a change.
    public static let reasonCharacters = 500
}
