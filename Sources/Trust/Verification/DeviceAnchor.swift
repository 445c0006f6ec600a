public import Base
import Crypto
import SwiftASN1
import X509

/// A tenant's issuing CA as the verifier trusts it: taken apart once, so that a handshake only compares and verifies.
public struct DeviceAnchor: Sendable {
    /// The tenant that the CA issues for.
    public let tenant: TenantID
    /// The last moment at which the CA's certificate is valid.
    public let notAfter: Timestamp
    let keyIdentifier: KeyIdentifier
    let host: [UInt8]
    /// The DER of the CA's name, which its certificates carry as issuer.
    let subject: [UInt8]
    private let key: P256.Signing.PublicKey

    /// The anchor made from an issuing CA's certificate, refused unless `chain` issued it for `tenant`'s own host
    /// and it is valid at `now`.
    public init(
        certificate der: [UInt8], of tenant: TenantID, host: String, issuedBy chain: AuthorityChain, at now: Timestamp
    )
        throws
    {
        let certificate = try chain.validateIssuing(der, host: host, at: now)
        guard let key = P256.Signing.PublicKey(certificate.publicKey) else {
            throw Refusal(.unavailable, "trust.issuingKey", "The issuing CA of \(host) has a key that is not P-256.")
        }
        var serializer = DER.Serializer()
        try serializer.serialize(certificate.subject)
        self.tenant = tenant
        self.host = Array(host.utf8)
        self.key = key
        subject = serializer.serializedBytes
        keyIdentifier = KeyIdentifier(of: certificate.publicKey)
        notAfter = Timestamp(certificate.notValidAfter)
    }

    func signed(_ bytes: ArraySlice<UInt8>, with signature: ArraySlice<UInt8>) -> Bool {
        guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
        return key.isValidSignature(signature, for: bytes)
    }
}
