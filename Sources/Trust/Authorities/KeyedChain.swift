import Base
import SwiftASN1
import X509

/// A private key and the certificates that belong to it, in one PEM file: since both are replaced at once, no crash
/// can leave a key beside another key's certificate.
struct KeyedChain: Sendable {
    let key: Certificate.PrivateKey
    /// The key's own certificate first.
    let certificates: [Certificate]

    init(key: Certificate.PrivateKey, certificates: [Certificate]) {
        self.key = key
        self.certificates = certificates
    }

    /// The chain in the file at `path`, or nil when there is no such file.
    static func read(_ path: String) throws -> KeyedChain? {
        guard SecretFile.exists(path) else { return nil }
        let text = String(decoding: try SecretFile.read(path), as: UTF8.self)
        guard let documents = try? PEMDocument.parseMultiple(pemString: text) else { throw damaged(path) }
        var key: Certificate.PrivateKey?
        var certificates: [Certificate] = []
        for document in documents {
            if document.discriminator == Certificate.defaultPEMDiscriminator {
                guard let certificate = try? Certificate(pemDocument: document) else { throw damaged(path) }
                certificates.append(certificate)
            } else {
                guard key == nil, let parsed = try? Certificate.PrivateKey(pemDocument: document) else {
                    throw damaged(path)
                }
                key = parsed
            }
        }
        guard let key, let first = certificates.first, first.publicKey == key.publicKey else { throw damaged(path) }
        return KeyedChain(key: key, certificates: certificates)
    }

    /// Replaces the file at `path`.
    func write(_ path: String) throws {
        let text = try key.serializeAsPEM().pemString + "\n" + certificates.pem()
        try SecretFile.replace(path, with: Array(text.utf8))
    }

    /// The signer with the chain's key and its first certificate.
    func signer() throws -> CertificateSigner {
        guard let certificate = certificates.first else {
            throw Refusal(.unavailable, "trust.authorityFileDamaged", "A CA's file holds no certificate.")
        }
        return try CertificateSigner(certificate: certificate, key: key)
    }

    static func damaged(_ path: String) -> Refusal {
        Refusal(
            .unavailable, "trust.authorityFileDamaged",
            "\(path) must hold one private key and its certificates in PEM. Restore it from the key backup.")
    }
}

extension Sequence<Certificate> {
    /// The certificates in PEM, one after the other.
    func pem() throws -> String {
        var text = ""
        for certificate in self { text += try certificate.serializeAsPEM().pemString + "\n" }
        return text
    }
}

extension Certificate {
    /// The certificate's DER encoding.
    func der() throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(self)
        return serializer.serializedBytes
    }
}
