public import Base
import Crypto
import Synchronization

/// Who a presented certificate proves the peer to be; whether the server still accepts it is a look-up of the
/// fingerprint away.
public struct VerifiedDevice: Hashable, Sendable {
    /// The tenant whose issuing CA signed.
    public let tenant: TenantID
    /// The device in the certificate's name.
    public let device: DeviceID
    /// The channel that the certificate opens.
    public let channel: Channel
    /// The certificate's identity in the database.
    public let fingerprint: Fingerprint
    /// The last moment at which the certificate is valid.
    public let notAfter: Timestamp
}

/// Why a presented certificate was not accepted.
///
/// For logs, counters and the audit: the peer, who is nobody yet, is told nothing.
public enum CertificateRefusal: String, Error, Hashable, Sendable, CaseIterable {
    /// No certificate was presented.
    case missing
    /// More certificates than anybody needs.
    case tooMany
    /// Not a certificate as RFC 5280 has it, too large, or with a critical extension that is not understood.
    case malformed
    /// Issuer and subject are the same.
    case selfSigned
    /// A CA's certificate, not a device's.
    case isCA
    /// No issuing CA of ours has this key identifier and name.
    case unknownIssuer
    /// The issuing CA did not sign this.
    case badSignature
    /// The validity has not begun.
    case notYetValid
    /// The validity, or that of the issuing CA, has ended.
    case expired
    /// Not meant for clients, or not for signing: a server's certificate, for example.
    case wrongUsage
    /// None or more than one subject alternative name.
    case sanCount
    /// The one name is not that of a device of the issuing CA's tenant.
    case sanHost
}

/// Decides inside a TLS handshake who presents a certificate: no disk, no lock held across work, no chain to build.
///
/// Only the leaf counts. It must be signed by a tenant's issuing CA that was validated up to the root when it was
/// registered, so that a handshake costs one P-256 verification and clients need not send intermediates.
public final class DeviceCertificateVerifier: Sendable {
    private let anchors = Mutex<[KeyIdentifier: DeviceAnchor]>([:])

    /// A verifier that accepts nobody yet.
    public init() {}

    /// Accepts certificates from this issuing CA; a later one with the same key takes its place.
    public func trust(_ anchor: DeviceAnchor) {
        anchors.withLock { $0[anchor.keyIdentifier] = anchor }
    }

    /// Accepts no certificate of this tenant any more.
    public func distrust(_ tenant: TenantID) {
        anchors.withLock { anchors in anchors = anchors.filter { $0.value.tenant != tenant } }
    }

    /// How many issuing CAs are trusted.
    public var anchorCount: Int { anchors.withLock { $0.count } }

    /// The device that presents these certificates (DER, the leaf first) at `now`.
    public func verify(_ presented: [[UInt8]], at now: Timestamp) throws(CertificateRefusal) -> VerifiedDevice {
        guard let der = presented.first else { throw .missing }
        guard presented.count <= Limits.presentedCertificates else { throw .tooMany }
        guard der.count <= Limits.presentedCertificateBytes, let leaf = try? LeafCertificate(der) else {
            throw .malformed
        }
        guard der[leaf.issuer] != der[leaf.subject] else { throw .selfSigned }
        guard !leaf.isCA else { throw .isCA }
        guard !leaf.hasUnknownCriticalExtension else { throw .malformed }
        guard let key = leaf.authorityKey, let anchor = anchors.withLock({ $0[key] }),
            der[leaf.issuer].elementsEqual(anchor.subject)
        else { throw .unknownIssuer }
        // The signature comes before everything it covers, so that no later reason can be provoked by a forger.
        guard leaf.isSignedWithECDSA, anchor.signed(der[leaf.signedPart], with: der[leaf.signature]) else {
            throw .badSignature
        }
        guard leaf.notBefore <= now else { throw .notYetValid }
        guard now <= leaf.notAfter, now <= anchor.notAfter else { throw .expired }
        guard leaf.isForClients, leaf.maySign else { throw .wrongUsage }
        guard leaf.subjectNameCount == 1 else { throw .sanCount }
        guard let uri = leaf.uri, let name = DeviceURI.parse(der[uri], host: anchor.host) else { throw .sanHost }
        return VerifiedDevice(
            tenant: anchor.tenant, device: name.device, channel: name.channel,
            fingerprint: Fingerprint(ofCertificate: der), notAfter: leaf.notAfter)
    }
}
