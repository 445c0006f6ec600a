import Base
import X509

/// Where the CAs' files are: private ones in one directory, what everybody may read in another.
public struct AuthorityPaths: Sendable, Hashable {
    /// The directory of private keys, mode 0700.
    public let keys: String
    /// The directory of certificates, mode 0755.
    public let trust: String

    /// The files in these two directories.
    public init(keys: String, trust: String) {
        self.keys = keys
        self.trust = trust
    }

    /// The root's key and certificate; absent once the root is offline.
    var root: String { "\(keys)/root-ca.pem" }
    /// The intermediate's key, its certificate, the root's, and earlier roots that have not expired.
    var intermediate: String { "\(keys)/intermediate-ca.pem" }
    /// The key of an intermediate whose certificate is being asked for.
    var requestedIntermediate: String { "\(keys)/intermediate-ca.requested.pem" }
    /// The server CA's key and certificate.
    var serverAuthority: String { "\(keys)/server-ca.pem" }
    /// The key and certificate of one listener.
    func server(_ listener: String) -> String { "\(keys)/server-\(listener).pem" }
    /// The root's certificate.
    public var publicRoot: String { "\(trust)/root-ca.pem" }
    /// The server CA's certificate: what clients trust.
    public var publicServerAuthority: String { "\(trust)/server-ca.pem" }

    func createDirectories() throws {
        try SecretFile.createDirectory(keys, for: .owner)
        try SecretFile.createDirectory(trust, for: .everybody)
    }

    /// Writes the public copy of a certificate, unless it is there already.
    func publish(_ certificate: Certificate, at path: String) throws {
        let text = Array(try [certificate].pem().utf8)
        if SecretFile.exists(path), try SecretFile.read(path, for: .everybody) == text { return }
        try SecretFile.replace(path, with: text, for: .everybody)
    }
}
