/// Why a passkey's answer does not count, for the audit log; the caller is told less.
enum PasskeyFault: String, Error, Sendable {
    /// What the browser sent has not the form that WebAuthn gives it.
    case form
    /// The browser's own data can not be read.
    case clientData
    /// It was made for the other ceremony.
    case ceremony
    /// The challenge is not one of this server's, for this ceremony and session.
    case challenge
    /// The challenge is too old.
    case expired
    /// The challenge was answered before.
    case replayed
    /// The browser was at another address.
    case origin
    /// It was asked for from within another site's page.
    case crossOrigin
    /// The authenticator's data can not be read.
    case authenticatorData
    /// It was made for another relying party.
    case relyingParty
    /// Nobody touched the authenticator.
    case notPresent
    /// The authenticator did not check who touched it.
    case notVerified
    /// Its flags contradict each other, or what was said at registration.
    case flags
    /// The public key is none, or of a sort that was not offered.
    case key
    /// The attestation can not be read.
    case attestation
    /// It is not one of the account's passkeys, or one that is known already.
    case credential
    /// It is for somebody else.
    case userHandle
    /// The signature is wrong.
    case signature
    /// The count of signatures went backwards.
    case counter
}
