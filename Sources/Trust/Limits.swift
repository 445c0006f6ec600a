/// Every bound that this target puts on what comes from outside, on one page.
enum Limits {
    /// Bytes in a certificate request; the largest honest one (RSA 4096 with a few extensions) stays below 3 KiB.
    static let certificateRequestBytes = 8 * 1024
    /// Bytes in the body of an enrolment request: base64 with line breaks or PEM around a request of the largest size.
    static let enrolmentBodyBytes = 16 * 1024
    /// Certificates that a device may present in one handshake.
    static let presentedCertificates = 5
    /// Bytes in one presented certificate.
    static let presentedCertificateBytes = 8 * 1024
    /// Extensions in one presented certificate.
    static let certificateExtensions = 32
    /// Purposes in one extended key usage extension.
    static let extendedKeyUsages = 16
    /// Bits of the smallest RSA key that is certified.
    static let rsaBitsMinimum = 2048
    /// Bits of the largest RSA key that is certified: a larger one costs every later handshake.
    static let rsaBitsMaximum = 4096
    /// Bytes in a file of keys or certificates.
    static let secretFileBytes = 256 * 1024
    /// Bytes in the text of a token.
    static let tokenBytes = 128
    /// Letters in the kind of a token.
    static let tokenKindBytes = 16
    /// Names in a server certificate.
    static let serverNames = 64
    /// Bytes in a deployment's name: with a tenant's slug of 63 and a dot it stays within a host name's 253.
    static let deploymentNameBytes = 189
    /// Bytes that may be sealed at once.
    static let sealedBytes = 16 * 1024 * 1024
    /// How long a tenant's unwrapped keys are used before the database is asked again.
    static let cachedTenantKeys: Duration = .seconds(60)
    /// Tenants whose unwrapped keys are kept in memory.
    static let cachedTenants = 4096
    /// Bytes of a token that somebody else signed.
    static let signedTokenBytes = 16 * 1024
    /// Levels that its claims may nest.
    static let signedTokenDepth = 8
    /// Bytes in the name of a published key.
    static let keyNameBytes = 256
    /// Bytes in the PEM of a key that a tenant trusts for updates.
    static let updateKeyBytes = 16 * 1024
    /// Bytes in the signature of an update.
    static let detachedSignatureBytes = 64 * 1024
    /// Keys in a published set.
    static let keysInSet = 64
}
