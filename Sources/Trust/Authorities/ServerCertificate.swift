public import Base
import SwiftASN1
import X509

/// What a listener shows: a private key, its certificate and the intermediates, in PEM.
public struct ServerCertificate: Sendable {
    /// The certificates, the listener's own first, without the root.
    public let chainPEM: String
    /// The private key in PKCS #8.
    public let keyPEM: String
    /// The last moment at which the certificate is valid.
    public let notAfter: Timestamp
    /// The moment from which it should be replaced.
    public let renewalDue: Timestamp

    init(_ chain: KeyedChain) throws {
        guard let own = chain.certificates.first else {
            throw Refusal(.unavailable, "trust.serverCertificateInvalid", "There is no server certificate.")
        }
        chainPEM = try chain.certificates.pem()
        keyPEM = try chain.key.serializeAsPEM().pemString + "\n"
        notAfter = Timestamp(own.notValidAfter)
        renewalDue = Validity.renewalDue(notBefore: Timestamp(own.notValidBefore), notAfter: notAfter)
    }

    /// The operator's own certificate, refused when it has expired, is not for servers, or is not the key's.
    public static func load(certificateFile: String, keyFile: String, now: Timestamp) throws -> ServerCertificate {
        let certificateText = String(decoding: try SecretFile.read(certificateFile, for: .everybody), as: UTF8.self)
        let keyText = String(decoding: try SecretFile.read(keyFile, for: .group), as: UTF8.self)
        let certificates: [Certificate]
        do {
            certificates = try PEMDocument.parseMultiple(pemString: certificateText)
                .filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
                .map { try Certificate(pemDocument: $0) }
        } catch {
            throw refusal(certificateFile, "holds something else than certificates in PEM")
        }
        guard let own = certificates.first else { throw refusal(certificateFile, "holds no certificate") }
        guard
            let key = try? PEMDocument.parseMultiple(pemString: keyText).lazy
                .compactMap({ try? Certificate.PrivateKey(pemDocument: $0) }).first
        else { throw refusal(keyFile, "holds no unencrypted private key in PEM") }
        guard key.publicKey == own.publicKey else {
            throw refusal(keyFile, "does not hold the key of the first certificate in \(certificateFile)")
        }
        let (from, until) = (Timestamp(own.notValidBefore), Timestamp(own.notValidAfter))
        guard from <= now else { throw refusal(certificateFile, "is not valid before \(from)") }
        guard now <= until else { throw refusal(certificateFile, "expired on \(until)") }
        if let usages = try? own.extensions.extendedKeyUsage, !usages.contains(.serverAuth), !usages.contains(.any) {
            throw refusal(certificateFile, "is not meant for servers")
        }
        return try ServerCertificate(KeyedChain(key: key, certificates: certificates))
    }

    private static func refusal(_ path: String, _ why: String) -> Refusal {
        Refusal(.unavailable, "trust.serverCertificateInvalid", "\(path) \(why).")
    }
}
