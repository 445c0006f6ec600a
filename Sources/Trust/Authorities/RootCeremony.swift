public import Base
import Crypto
import SwiftASN1
import X509

/// The steps that keep the root's private key off the server: the server asks for an intermediate certificate, an
/// offline machine makes the root and signs, and the server installs what comes back.
///
/// None of them needs a network or a database; files are all that goes between the two machines.
public enum RootCeremony {
    /// Makes a root in `directory`, on the offline machine: `root-ca.key.pem` (0600, key and certificate) and
    /// `root-ca.pem`.
    public static func createRoot(in directory: String, for deployment: DeploymentName, clock: WallClock = .system)
        throws
    {
        let path = rootFile(in: directory)
        guard !SecretFile.exists(path) else {
            throw Refusal(.conflict, "trust.rootExists", "\(path) is there already; a root is never overwritten.")
        }
        try SecretFile.createDirectory(directory, for: .owner)
        let chain = try CertificateProfiles.root(of: deployment, now: clock.now)
        try chain.write(path)
        try SecretFile.replace(
            "\(directory)/root-ca.pem", with: Array(try chain.certificates.pem().utf8), for: .everybody)
    }

    /// Writes a new key for the intermediate on the server, and answers the request (PEM) that asks for its
    /// certificate; asked again before the answer is installed, the key stays the same.
    public static func requestIntermediate(paths: AuthorityPaths, for deployment: DeploymentName) throws -> String {
        try paths.createDirectories()
        let key = try pendingKey(paths) ?? Certificate.PrivateKey(P256.Signing.PrivateKey())
        try SecretFile.replace(
            paths.requestedIntermediate, with: Array((try key.serializeAsPEM().pemString + "\n").utf8))
        let request = try CertificateSigningRequest(
            version: .v1, subject: CertificateProfiles.intermediateName(in: deployment), privateKey: key,
            attributes: CertificateSigningRequest.Attributes(), signatureAlgorithm: .ecdsaWithSHA256)
        return try request.serializeAsPEM().pemString + "\n"
    }

    /// Signs a server's request with the root in `directory`, on the offline machine; the answer is the
    /// intermediate's and the root's certificate in PEM.
    public static func sign(request pem: String, withRootIn directory: String, clock: WallClock = .system) throws
        -> String
    {
        guard let root = try KeyedChain.read(rootFile(in: directory)) else {
            throw Refusal(.notFound, "trust.rootMissing", "There is no root in \(directory): create it first.")
        }
        let request = try CertificateRequest(pem: pem)
        let signer = try root.signer()
        let certificate = try CertificateProfiles.intermediate(
            subject: request.subject, publicKey: request.publicKey, signedBy: signer, now: clock.now)
        return try [certificate, signer.certificate].pem()
    }

    /// Installs the answer to ``requestIntermediate(paths:for:)`` on the server, and removes a root key that was
    /// there; a running server takes it up with ``CertificateAuthorities/reload()``.
    public static func install(_ answer: String, paths: AuthorityPaths, clock: WallClock = .system) throws {
        guard let key = try pendingKey(paths) else {
            throw Refusal(
                .conflict, "trust.nothingRequested",
                "No intermediate certificate has been asked for, so there is no key that this answer could belong to.")
        }
        let certificates: [Certificate]
        do {
            certificates = try PEMDocument.parseMultiple(pemString: answer).map { try Certificate(pemDocument: $0) }
        } catch {
            throw Refusal(
                .invalid, "trust.answerInvalid", "The answer must be certificates in PEM, the intermediate's first.")
        }
        guard certificates.count == 2, certificates[0].publicKey == key.publicKey else {
            throw Refusal(
                .invalid, "trust.answerForeign",
                "The answer must be the certificate for the key that was asked for, followed by the root's.")
        }
        _ = try AuthorityChain(root: certificates[1], intermediate: certificates[0], now: clock.now)
        let earlier = try KeyedChain.read(paths.intermediate)?.certificates.dropFirst() ?? []
        let earlierRoots = earlier.filter { $0 != certificates[1] && Timestamp($0.notValidAfter) > clock.now }
        try KeyedChain(key: key, certificates: certificates + earlierRoots).write(paths.intermediate)
        try paths.publish(certificates[1], at: paths.publicRoot)
        try SecretFile.remove(paths.requestedIntermediate)
        try SecretFile.remove(paths.root)
    }

    private static func rootFile(in directory: String) -> String { "\(directory)/root-ca.key.pem" }

    private static func pendingKey(_ paths: AuthorityPaths) throws -> Certificate.PrivateKey? {
        guard SecretFile.exists(paths.requestedIntermediate) else { return nil }
        let text = String(decoding: try SecretFile.read(paths.requestedIntermediate), as: UTF8.self)
        guard let key = try? Certificate.PrivateKey(pemEncoded: text) else {
            throw Refusal(
                .unavailable, "trust.authorityFileDamaged",
                "\(paths.requestedIntermediate) is damaged. Remove it and ask for a certificate again.")
        }
        return key
    }
}
