import Base
import FoundationEssentials
import SwiftASN1
import X509

/// One CA that can sign: the only place where a CA's private key is used.
///
/// `Certificate.PrivateKey` holds a software key today; its custom form signs elsewhere, so that a hardware module
/// changes nothing but what is put in here.
struct CertificateSigner: Sendable {
    let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// The signer with this certificate, refused when `key` is not its key.
    init(certificate: Certificate, key: Certificate.PrivateKey) throws {
        guard key.publicKey == certificate.publicKey else {
            throw Refusal(
                .unavailable, "trust.keyMismatch", "The private key does not belong to its certificate.",
                detail: "\(certificate.subject)")
        }
        self.certificate = certificate
        self.key = key
    }

    /// A self-signed CA's certificate.
    static func selfSigned(
        subject: DistinguishedName, key: Certificate.PrivateKey, validity: Validity, extensions: [CertificateExtension]
    ) throws -> Certificate {
        try make(
            subject: subject, publicKey: key.publicKey, validity: validity, extensions: extensions, issuer: subject,
            issuerIdentifier: KeyIdentifier(of: key.publicKey).bytes[...], issuerKey: key)
    }

    /// A certificate that this CA signs; its validity is cut at the CA's own end.
    func sign(
        subject: DistinguishedName, publicKey: Certificate.PublicKey, now: Timestamp, lifetime: Duration,
        extensions: [CertificateExtension]
    ) throws -> Certificate {
        let end = Timestamp(certificate.notValidAfter)
        guard now < end else {
            throw Refusal(
                .unavailable, "trust.authorityExpired", "The issuing CA has expired, so it can not certify anything.",
                detail: "\(certificate.subject) ended \(end)")
        }
        // A CA made by another tool may name its key in its own way.
        let identifier =
            try certificate.extensions.subjectKeyIdentifier?.keyIdentifier
            ?? KeyIdentifier(of: certificate.publicKey).bytes[...]
        return try Self.make(
            subject: subject, publicKey: publicKey, validity: Validity(now: now, lifetime: lifetime, notPast: end),
            extensions: extensions, issuer: certificate.subject, issuerIdentifier: identifier, issuerKey: key)
    }

    private static func make(
        subject: DistinguishedName, publicKey: Certificate.PublicKey, validity: Validity,
        extensions: [CertificateExtension], issuer: DistinguishedName, issuerIdentifier: ArraySlice<UInt8>,
        issuerKey: Certificate.PrivateKey
    ) throws -> Certificate {
        var all = Certificate.Extensions()
        for each in extensions { try all.append(try each.encoded()) }
        try all.append(
            try SubjectKeyIdentifier(keyIdentifier: KeyIdentifier(of: publicKey).bytes[...]).makeCertificateExtension())
        try all.append(try AuthorityKeyIdentifier(keyIdentifier: issuerIdentifier).makeCertificateExtension())
        return try Certificate(
            version: .v3, serialNumber: randomSerial(), publicKey: publicKey,
            notValidBefore: Date(validity.notBefore), notValidAfter: Date(validity.notAfter), issuer: issuer,
            subject: subject, extensions: all, issuerPrivateKey: issuerKey)
    }

    /// A random serial number of 20 bytes, the most that RFC 5280 allows: the top bit stays clear, because a positive
    /// number with it would take a twenty-first byte, and the next is set, so that none is ever shorter.
    private static func randomSerial() -> Certificate.SerialNumber {
        var bytes = (0..<20).map { _ in UInt8.random(in: .min ... .max) }
        bytes[0] = bytes[0] & 0x7F | 0x40
        return Certificate.SerialNumber(bytes: bytes)
    }
}

/// An extension with its criticality, as our profiles use them.
enum CertificateExtension {
    case authority(maximumPathLength: Int)
    case notAuthority
    case keyUsage(KeyUsage)
    case extendedKeyUsage(ExtendedKeyUsage.Usage)
    case onlyHost(String)
    case names([GeneralName])

    func encoded() throws -> Certificate.Extension {
        switch self {
        case .authority(let length):
            try Certificate.Extension(BasicConstraints.isCertificateAuthority(maxPathLength: length), critical: true)
        case .notAuthority: try Certificate.Extension(BasicConstraints.notCertificateAuthority, critical: true)
        case .keyUsage(let usage): try Certificate.Extension(usage, critical: true)
        case .extendedKeyUsage(let usage): try Certificate.Extension(ExtendedKeyUsage([usage]), critical: false)
        case .onlyHost(let host):
            try Certificate.Extension(NameConstraints(permittedURIDomains: [host]), critical: true)
        case .names(let names): try Certificate.Extension(SubjectAlternativeNames(names), critical: false)
        }
    }
}
