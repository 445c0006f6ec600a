public import Crypto
import SwiftASN1
import X509

/// A device's own private key, made on the device and never leaving it.
public struct DeviceKey: Sendable {
    /// The P-256 key.
    public let key: P256.Signing.PrivateKey

    /// A new key.
    public init() {
        key = P256.Signing.PrivateKey()
    }

    /// The key that `pem` spells; throws when it spells none.
    public init(pem: String) throws {
        key = try P256.Signing.PrivateKey(pemRepresentation: pem)
    }

    /// The key as PEM, for a TLS library.
    public var pem: String { key.pemRepresentation }

    /// A signed certification request (PKCS #10, DER); the server writes the subject from its own record, so the one
    /// here is only a courtesy.
    public func certificationRequest(commonName: String) throws -> [UInt8] {
        let name = try DistinguishedName { CommonName(commonName) }
        let request = try CertificateSigningRequest(
            version: .v1, subject: name, privateKey: Certificate.PrivateKey(key),
            attributes: CertificateSigningRequest.Attributes(), signatureAlgorithm: .ecdsaWithSHA256)
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
