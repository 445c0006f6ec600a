import Crypto
package import NIOSSL
import SwiftASN1
import X509

/// One channel's key and certificate on disk: together in one file, so that they always fit each other.
package struct IdentityStore: Sendable {
    /// Which of the two channels.
    package enum Channel: String, Sendable {
        /// Tasks, updates, configuration.
        case maintenance
        /// Telemetry alone.
        case stream
    }

    /// What is on disk.
    package struct Kept: Sendable {
        /// What TLS shows.
        package var identity: DeviceIdentity
        /// From when to when it counts.
        package var life: CertificateLife
        /// The device's identifier, as the certificate names it.
        package var device: String

        init(_ key: DeviceKey, _ certificate: [UInt8]) throws {
            identity = try DeviceIdentity(certificate: certificate, key: key)
            life = try CertificateLife(of: certificate)
            let names = try Certificate(derEncoded: certificate).extensions.subjectAlternativeNames
            let uri = names?.lazy.compactMap { name -> String? in
                if case .uniformResourceIdentifier(let uri) = name { uri } else { nil }
            }.first
            // tidegate://TENANT.DEPLOYMENT/device/ID, with /stream behind it for the other channel.
            let parts = uri?.split(separator: "/", omittingEmptySubsequences: false) ?? []
            guard parts.count >= 5, parts[0] == "tidegate:", parts[3] == "device" else {
                throw FileFailure("the certificate names no device")
            }
            device = String(parts[4])
        }
    }

    private let path: String

    /// The store of a channel in the directory `state`.
    package init(state: String, channel: Channel) {
        path = "\(state)/\(channel.rawValue).pem"
    }

    /// What is kept, or nil when nothing is.
    package func load() throws -> Kept? {
        guard let bytes = try StateFile.read(path) else { return nil }
        let documents = try PEMDocument.parseMultiple(pemString: String(decoding: bytes, as: UTF8.self))
        guard let key = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }),
            let certificate = documents.first(where: { $0.discriminator == "CERTIFICATE" })
        else { throw FileFailure("\(path): holds no key and certificate") }
        return try Kept(try DeviceKey(pem: key.pemString), certificate.derBytes)
    }

    /// Keeps a key with its certificate in place of what was there; throws when they do not fit each other.
    package func keep(_ key: DeviceKey, certificate: [UInt8]) throws -> Kept {
        // What does not fit must not take the place of what does.
        let kept = try Kept(key, certificate)
        guard try Certificate(derEncoded: certificate).publicKey == Certificate.PublicKey(key.key.publicKey) else {
            throw FileFailure("the certificate is not for the key of this device")
        }
        let text = key.pem + "\n" + PEMDocument(type: "CERTIFICATE", derBytes: certificate).pemString + "\n"
        try StateFile.write(Array(text.utf8), to: path)
        try StateFile.remove(pending)
        return kept
    }

    /// The key of a request that may be under way: the same after a restart, so that an answer which was lost costs
    /// no second key.
    package func pendingKey() throws -> DeviceKey {
        if let bytes = try StateFile.read(pending) { return try DeviceKey(pem: String(decoding: bytes, as: UTF8.self)) }
        let key = DeviceKey()
        try StateFile.write(Array(key.pem.utf8), to: pending)
        return key
    }

    private var pending: String { path + ".pending" }
}

/// Which server this is: the certificate that vouches for it, kept at first use and from then on the only one.
package struct ServerPin: Sendable {
    private let path: String

    /// The pin in the directory `state`.
    package init(state: String) {
        path = "\(state)/server-ca.pem"
    }

    /// The certificates that may vouch for the server; at first use those in `file`.
    package func roots(from file: String?) throws -> [NIOSSLCertificate] {
        if let bytes = try StateFile.read(path) { return try NIOSSLCertificate.fromPEMBytes(bytes) }
        guard let file else {
            throw FileFailure("server-ca is missing: the certificate that vouches for the server, to be pinned")
        }
        guard let bytes = try StateFile.read(file) else { throw FileFailure("\(file) is not there") }
        let roots = try NIOSSLCertificate.fromPEMBytes(bytes)
        guard !roots.isEmpty else { throw FileFailure("\(file): holds no certificate") }
        try StateFile.write(bytes, to: path)
        return roots
    }

    /// Whether the device knows which server it belongs to.
    package var isSet: Bool { ((try? StateFile.read(path)) ?? nil) != nil }

    /// Forgets the server; the next use pins anew.
    package func reset() throws { try StateFile.remove(path) }
}
