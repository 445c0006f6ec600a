public import Base
import Crypto
public import Logging
import Synchronization
import X509

/// The platform's own CAs, kept in files: root (unless it is offline), intermediate, and the server CA.
///
/// All functions read and write files: call them at start-up or on a thread that may wait, not on an event loop.
public final class CertificateAuthorities: Sendable {
    private struct State {
        var chain: AuthorityChain
        var intermediate: CertificateSigner
        var earlierRoots: [Certificate]
        var serverAuthority: CertificateSigner
    }

    private let state: Mutex<State>
    private let paths: AuthorityPaths
    /// The name of this installation in certificates.
    public let deployment: DeploymentName
    private let clock: WallClock
    private let logger: Logger

    /// The CAs whose files are at `paths`; the first start makes all of them, the root included.
    public init(
        paths: AuthorityPaths, deployment: DeploymentName, clock: WallClock = .system,
        logger: Logger = Logger(label: "tidegate.trust")
    ) throws {
        self.paths = paths
        self.deployment = deployment
        self.clock = clock
        self.logger = logger
        state = Mutex(try Self.load(paths, deployment, clock.now, logger))
    }

    /// The root and the intermediate.
    public var chain: AuthorityChain { state.withLock { $0.chain } }

    /// The certificate that clients trust for this server's listeners, in PEM.
    public var serverAuthorityPEM: String {
        get throws { try [state.withLock { $0.serverAuthority.certificate }].pem() }
    }

    /// What signs the certificates of this server's listeners.
    var serverAuthorityCertificate: Certificate { state.withLock { $0.serverAuthority.certificate } }

    /// What a device needs beside its issuing CA: the intermediate, the root, earlier roots that other certificates
    /// still hang from, and the server CA, by which it checks this server.
    var certificatesAboveIssuing: [Certificate] {
        state.withLock { state in
            [state.chain.intermediate, state.chain.root] + state.earlierRoots + [state.serverAuthority.certificate]
        }
    }

    /// What signs the tenants' issuing CAs.
    var intermediate: CertificateSigner { state.withLock { $0.intermediate } }

    /// Takes up files that were replaced, and renews the intermediate at two thirds of its life if the root is here.
    ///
    /// Call it daily and after an installation; then ``IssuingAuthorities/renew(in:)``.
    public func reload() throws {
        let fresh = try Self.load(paths, deployment, clock.now, logger)
        state.withLock { $0 = fresh }
    }

    /// The certificate of the listener called `listener` (a word such as `people`), made anew when its names changed,
    /// at two thirds of its life, or when another server CA is in place.
    public func serverCertificate(for listener: String, names: ServerNames) throws -> ServerCertificate {
        let authority = state.withLock { $0.serverAuthority }
        let path = paths.server(listener)
        if let chain = try presentChain(path), let own = chain.certificates.first,
            authority.certificate.publicKey.isValidSignature(own.signature, for: own),
            let held = try? own.extensions.subjectAlternativeNames, Array(held) == names.generalNames
        {
            let current = try ServerCertificate(chain)
            if clock.now < current.renewalDue, Timestamp(own.notValidBefore) <= clock.now { return current }
        }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try CertificateProfiles.server(
            names, publicKey: key.publicKey, signedBy: authority, now: clock.now)
        let chain = KeyedChain(key: key, certificates: [certificate])
        try chain.write(path)
        logger.info("server certificate issued", metadata: ["listener": "\(listener)", "names": "\(names.texts)"])
        return try ServerCertificate(chain)
    }

    /// The chain in a listener's file; a damaged one counts as none, because it can be made anew.
    private func presentChain(_ path: String) throws -> KeyedChain? {
        do {
            return try KeyedChain.read(path)
        } catch let refusal as Refusal where refusal == KeyedChain.damaged(path) {
            logger.warning("server certificate is damaged and made anew", metadata: ["file": "\(path)"])
            return nil
        }
    }

    private static func load(
        _ paths: AuthorityPaths, _ deployment: DeploymentName, _ now: Timestamp, _ logger: Logger
    ) throws -> State {
        try paths.createDirectories()
        var files = try intermediate(paths, deployment, now, logger)
        guard files.certificates.count >= 2 else {
            throw Refusal(
                .unavailable, "trust.authorityFileDamaged",
                "\(paths.intermediate) must hold the intermediate's and the root's certificate.")
        }
        if let root = try KeyedChain.read(paths.root), isDue(files.certificates[0], now) {
            files = try renew(files, signedBy: root, paths, now)
            logger.notice(
                "intermediate CA renewed", metadata: ["notAfter": "\(Timestamp(files.certificates[0].notValidAfter))"])
        } else if isDue(files.certificates[0], now) {
            logger.warning(
                "intermediate CA should be renewed by the root ceremony",
                metadata: ["notAfter": "\(Timestamp(files.certificates[0].notValidAfter))"])
        }
        let chain = try AuthorityChain(root: files.certificates[1], intermediate: files.certificates[0], now: now)
        let serverAuthority = try serverAuthority(paths, deployment, now, logger)
        try paths.publish(chain.root, at: paths.publicRoot)
        try paths.publish(serverAuthority.certificate, at: paths.publicServerAuthority)
        return State(
            chain: chain, intermediate: try files.signer(),
            earlierRoots: files.certificates.dropFirst(2).filter { Timestamp($0.notValidAfter) > now },
            serverAuthority: serverAuthority)
    }

    private static func isDue(_ certificate: Certificate, _ now: Timestamp) -> Bool {
        now
            >= Validity.renewalDue(
                notBefore: Timestamp(certificate.notValidBefore), notAfter: Timestamp(certificate.notValidAfter))
    }

    private static func intermediate(
        _ paths: AuthorityPaths, _ deployment: DeploymentName, _ now: Timestamp, _ logger: Logger
    ) throws -> KeyedChain {
        if let files = try KeyedChain.read(paths.intermediate) { return files }
        guard !SecretFile.exists(paths.requestedIntermediate) else {
            throw Refusal(
                .unavailable, "trust.installPending",
                "An intermediate certificate has been asked for but not installed. Finish with the root ceremony's "
                    + "install, or remove \(paths.requestedIntermediate) to let the server make its own root.")
        }
        // A first start that was cut short may have left the root alone.
        let root: KeyedChain
        if let present = try KeyedChain.read(paths.root) {
            root = present
        } else {
            root = try CertificateProfiles.root(of: deployment, now: now)
            try root.write(paths.root)
        }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let signer = try root.signer()
        let certificate = try CertificateProfiles.intermediate(
            subject: CertificateProfiles.intermediateName(in: deployment), publicKey: key.publicKey, signedBy: signer,
            now: now)
        let files = KeyedChain(key: key, certificates: [certificate, signer.certificate])
        try files.write(paths.intermediate)
        logger.notice("certificate authorities made", metadata: ["deployment": "\(deployment)"])
        return files
    }

    /// The same key and name under a new certificate, so that everything below stays valid.
    private static func renew(_ files: KeyedChain, signedBy root: KeyedChain, _ paths: AuthorityPaths, _ now: Timestamp)
        throws -> KeyedChain
    {
        let signer = try root.signer()
        let certificate = try CertificateProfiles.intermediate(
            subject: files.certificates[0].subject, publicKey: files.key.publicKey, signedBy: signer, now: now)
        let earlier = files.certificates.dropFirst().filter { $0 != signer.certificate }
        let renewed = KeyedChain(key: files.key, certificates: [certificate, signer.certificate] + earlier)
        try renewed.write(paths.intermediate)
        return renewed
    }

    private static func serverAuthority(
        _ paths: AuthorityPaths, _ deployment: DeploymentName, _ now: Timestamp, _ logger: Logger
    ) throws -> CertificateSigner {
        if let files = try KeyedChain.read(paths.serverAuthority) { return try files.signer() }
        let files = try CertificateProfiles.serverAuthority(of: deployment, now: now)
        try files.write(paths.serverAuthority)
        logger.notice("server CA made", metadata: ["deployment": "\(deployment)"])
        return try files.signer()
    }
}
