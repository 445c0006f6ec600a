public import Base
import Crypto
import SwiftASN1
import X509

/// What a tenant trusts to sign its updates: a certificate, that of an authority included, or a plain public key.
public struct UpdateKey: Sendable {
    /// What the PEM holds.
    public enum Kind: String, Sendable {
        /// A certificate that signs by itself.
        case certificate
        /// A certificate that signs by itself, or has others issued that sign.
        case authority
        /// A public key alone.
        case publicKey
    }

    /// What it is.
    public let kind: Kind
    /// The PEM, with nothing beside the key.
    public let pem: String
    /// Sort and size of the key, such as `RSA 3072`.
    public let algorithm: String
    /// The SHA-256 of the public key (SubjectPublicKeyInfo).
    public let fingerprint: [UInt8]
    /// The certificate's subject; nil of a plain key.
    public let subject: String?
    /// Until when the certificate is valid; nil of a plain key.
    public let ends: Timestamp?
    private let key: SignatureKey
    private let certificate: Certificate?

    /// The one certificate or public key in this PEM.
    public init(pem text: String) throws(Refusal) {
        guard text.utf8.count <= Limits.updateKeyBytes else {
            throw Refusal(.tooLarge, "updateKey.tooLarge", "The key has more than \(Limits.updateKeyBytes) bytes.")
        }
        guard !text.contains("PRIVATE KEY") else {
            throw Refusal(
                .invalid, "updateKey.private",
                "This is a private key, which nobody but who signs may have. Send the certificate or the public key; "
                    + "make a new pair if others could have seen this.")
        }
        guard let documents = try? PEMDocument.parseMultiple(pemString: text), documents.count == 1 else {
            throw Self.malformed
        }
        let document = documents[0]
        let publicKey: Certificate.PublicKey
        switch document.discriminator {
        case "CERTIFICATE":
            guard let certificate = try? Certificate(derEncoded: document.derBytes) else { throw Self.malformed }
            self.certificate = certificate
            publicKey = certificate.publicKey
            kind = Self.isAuthority(certificate) ? .authority : .certificate
            subject = certificate.subject.description
            ends = Timestamp(certificate.notValidAfter)
        case "PUBLIC KEY":
            guard let read = try? Certificate.PublicKey(pemDocument: document) else { throw Self.malformed }
            (certificate, publicKey, kind, subject, ends) = (nil, read, .publicKey, nil, nil)
        default: throw Self.malformed
        }
        guard let key = SignatureKey(publicKey) else {
            throw Refusal(
                .invalid, "updateKey.algorithm",
                "The key must be RSA with \(Limits.rsaBitsMinimum) to \(Limits.rsaBitsMaximum) bits, ECDSA on P-256, "
                    + "P-384 or P-521, or Ed25519.")
        }
        self.key = key
        algorithm = key.name
        fingerprint = Array(SHA256.hash(data: publicKey.subjectPublicKeyInfoBytes))
        pem = document.pemString + "\n"
    }

    private static let malformed = Refusal(
        .invalid, "updateKey.malformed",
        "This is not one certificate or public key in PEM: it begins with -----BEGIN CERTIFICATE----- or "
            + "-----BEGIN PUBLIC KEY-----. Or its key is of a kind that is not taken, such as RSA with less than "
            + "\(Limits.rsaBitsMinimum) bits.")

    /// Whether `content` was signed for this key: by its other half or, when it is an authority's, by that of a
    /// certificate in the signature which the authority issued for such a use.
    ///
    /// - Parameter signature: A detached CMS message in DER or, of a plain public key, also the signature alone, made
    ///   with SHA-256.
    public func hasSigned(_ content: [UInt8], _ signature: [UInt8], at now: Timestamp) -> Bool {
        guard signature.count <= Limits.detachedSignatureBytes, isValid(at: now) else { return false }
        guard let message = try? DetachedSignature(signature) else {
            return kind == .publicKey
                && key.schemes.contains { key.isValid(signature, over: content, $0, .sha256) }
        }
        var signing = [key]
        if kind == .authority {
            signing += message.certificates.compactMap { issued($0, at: now).flatMap { SignatureKey($0.publicKey) } }
        }
        return message.signers.contains { signer in
            let signed: [UInt8]
            if let attributes = signer.attributes {
                guard signer.digest.hash(content) == attributes.digest else { return false }
                signed = attributes.signed
            } else {
                signed = content
            }
            return signing.contains { $0.isValid(signer.signature, over: signed, signer.scheme, signer.digest) }
        }
    }

    private func isValid(at now: Timestamp) -> Bool { certificate.map { Self.isValid($0, at: now) } ?? true }

    private static func isValid(_ certificate: Certificate, at now: Timestamp) -> Bool {
        Timestamp(certificate.notValidBefore) <= now && now <= Timestamp(certificate.notValidAfter)
    }

    /// A certificate that this authority issued itself for signing code or mail, the two uses that SWUpdate knows.
    private func issued(_ der: [UInt8], at now: Timestamp) -> Certificate? {
        guard let authority = certificate, let leaf = try? Certificate(derEncoded: der),
            leaf.issuer == authority.subject, Self.isValid(leaf, at: now),
            authority.publicKey.isValidSignature(leaf.signature, for: leaf),
            leaf.signatureAlgorithm != .sha1WithRSAEncryption
        else { return nil }
        do {
            guard let uses = try leaf.extensions.extendedKeyUsage else { return leaf }
            return uses.contains { $0 == .codeSigning || $0 == .emailProtection || $0 == .any } ? leaf : nil
        } catch {
            return nil
        }
    }

    private static func isAuthority(_ certificate: Certificate) -> Bool {
        guard case .isCertificateAuthority? = try? certificate.extensions.basicConstraints else { return false }
        guard let usage = try? certificate.extensions.keyUsage else { return true }
        return usage.keyCertSign
    }
}
