import Base
import Crypto
import Trust

/// What an authenticator says and signs (WebAuthn, section 6.1).
struct AuthenticatorData {
    /// A credential that was made just now.
    struct Attested {
        var credential: [UInt8]
        var key: COSEKey
        /// The key's own bytes, as they are kept.
        var keyBytes: [UInt8]
    }

    let isVerified: Bool
    let isBackupEligible: Bool
    let count: UInt32
    let attested: Attested?

    private static let present: UInt8 = 0x01
    private static let verified: UInt8 = 0x04
    private static let backupEligible: UInt8 = 0x08
    private static let backedUp: UInt8 = 0x10
    private static let hasCredential: UInt8 = 0x40
    private static let hasExtensions: UInt8 = 0x80

    private static let fixedBytes = 37
    private static let attestedBytes = 18

    /// Reads the bytes, which must be for this relying party and say that somebody touched the authenticator.
    init(_ bytes: [UInt8], relyingParty: String) throws(PasskeyFault) {
        guard (Self.fixedBytes...SignInLimits.authenticatorDataBytes).contains(bytes.count) else {
            throw .authenticatorData
        }
        guard ConstantTime.equal(bytes[..<32], Array(SHA256.hash(data: Array(relyingParty.utf8)))) else {
            throw .relyingParty
        }
        let flags = bytes[32]
        guard flags & Self.present != 0 else { throw .notPresent }
        isVerified = flags & Self.verified != 0
        isBackupEligible = flags & Self.backupEligible != 0
        // What can not be copied can not have been (section 6.1.3).
        guard isBackupEligible || flags & Self.backedUp == 0 else { throw .flags }
        count = bytes[33..<37].reduce(0) { $0 << 8 | UInt32($1) }
        var rest = Array(bytes[Self.fixedBytes...])
        if flags & Self.hasCredential != 0 {
            guard rest.count >= Self.attestedBytes else { throw .authenticatorData }
            let length = Int(rest[16]) << 8 | Int(rest[17])
            guard (1...SignInLimits.credentialBytes).contains(length), rest.count > Self.attestedBytes + length else {
                throw .authenticatorData
            }
            let credential = Array(rest[Self.attestedBytes..<Self.attestedBytes + length])
            rest = Array(rest[(Self.attestedBytes + length)...])
            let (value, keyLength) = try Self.item(rest)
            guard let key = COSEKey(value) else { throw .key }
            attested = Attested(credential: credential, key: key, keyBytes: Array(rest[..<keyLength]))
            rest = Array(rest[keyLength...])
        } else {
            attested = nil
        }
        if flags & Self.hasExtensions != 0 {
            let (value, length) = try Self.item(rest)
            guard case .map = value else { throw .authenticatorData }
            rest = Array(rest[length...])
        }
        guard rest.isEmpty else { throw .authenticatorData }
    }

    private static func item(_ bytes: [UInt8]) throws(PasskeyFault) -> (value: CBORValue, length: Int) {
        do throws(CBORFault) {
            return try CBORValue.prefix(of: bytes)
        } catch {
            throw .authenticatorData
        }
    }
}
