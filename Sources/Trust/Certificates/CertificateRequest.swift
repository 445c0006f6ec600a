import Base
import Crypto
import SwiftASN1
import X509

/// A device's request for a certificate (PKCS #10): proof that it has a private key, and nothing else.
///
/// Subject, requested extensions and challenge password are not looked at: the server writes the certificate's names
/// and uses from its own record.
public struct CertificateRequest: Sendable {
    let publicKey: Certificate.PublicKey
    let subject: DistinguishedName

    /// The request in this DER, refused when it is malformed, its signature is not by its own key, or the key is one
    /// that TLS can not use or that is too weak.
    public init(der: [UInt8]) throws {
        guard der.count <= Limits.certificateRequestBytes else {
            throw Refusal(
                .tooLarge, "csr.tooLarge",
                "The certificate request has more than \(Limits.certificateRequestBytes) bytes.")
        }
        let request: CertificateSigningRequest
        do {
            request = try CertificateSigningRequest(derEncoded: der)
        } catch {
            throw Refusal(
                .invalid, "csr.malformed",
                "The body is not a certificate request (PKCS #10), or its kind of key is not known. \(Self.keyRule)",
                detail: "\(error)")
        }
        guard Self.isAllowed(request.publicKey) else { throw Refusal(.invalid, "csr.key", Self.keyRule) }
        guard request.signatureAlgorithm != .sha1WithRSAEncryption,
            request.publicKey.isValidSignature(request.signature, for: request)
        else {
            throw Refusal(
                .invalid, "csr.signature",
                "The request is not signed by the key that it holds, or with SHA-1. Sign it with that key and SHA-256.")
        }
        publicKey = request.publicKey
        subject = request.subject
    }

    /// The request in this PEM.
    init(pem: String) throws {
        guard pem.utf8.count <= Limits.enrolmentBodyBytes, let document = try? PEMDocument(pemString: pem) else {
            throw Refusal(.invalid, "csr.malformed", "The text is not a certificate request in PEM.")
        }
        try self.init(der: document.derBytes)
    }

    private static let keyRule =
        "The key must be ECDSA on P-256 or P-384, or RSA with \(Limits.rsaBitsMinimum) to \(Limits.rsaBitsMaximum) bits."

    // Ed25519 and P-521 are left out although both could be signed: TLS stacks of this generation do not offer them
    // for client certificates by default, and a certificate that can not be used is worse than a clear refusal.
    private static func isAllowed(_ key: Certificate.PublicKey) -> Bool {
        if P256.Signing.PublicKey(key) != nil || P384.Signing.PublicKey(key) != nil { return true }
        guard let bits = rsaBits(key) else { return false }
        return (Limits.rsaBitsMinimum...Limits.rsaBitsMaximum).contains(bits)
    }

    /// The size of an RSA modulus, read from RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER },
    /// or nil for another key or an exponent that is not the usual 65,537.
    private static func rsaBits(_ key: Certificate.PublicKey) -> Int? {
        var outside = DERCursor(Array(key.subjectPublicKeyInfoBytes))
        guard var fields = try? outside.enter(DERTag.sequence), let modulus = try? fields.next(DERTag.integer),
            let exponent = try? fields.next(DERTag.integer)
        else { return nil }
        let bytes = Array(key.subjectPublicKeyInfoBytes)
        guard bytes[exponent.content].elementsEqual([1, 0, 1]) else { return nil }
        let digits = bytes[modulus.content].drop { $0 == 0 }
        return digits.first.map { digits.count * 8 - $0.leadingZeroBitCount }
    }
}
