import Agent
import Base
import FoundationEssentials
import Trust

/// The directory in which simulated devices keep keys and certificates, as real ones do in their flash.
struct SimulationState: Sendable {
    /// Which server the devices belong to: another one would know none of them.
    private static let authority = "server-ca.pem"
    private static let key = "-----BEGIN PRIVATE KEY-----"

    private let directory: String

    /// The state in `path`, made when absent, of a tenant's devices on the server whose CA is `authority`.
    init(_ path: String, tenant: String, authority: [UInt8]) throws {
        try SecretFile.createDirectory(path, for: .owner)
        let file = "\(path)/\(Self.authority)"
        if SecretFile.exists(file) {
            guard try SecretFile.read(file) == authority else {
                throw ConfigurationError(
                    "\(path) has devices of another server; name another directory with --state, or remove it")
            }
        } else {
            try SecretFile.replace(file, with: authority)
        }
        directory = "\(path)/\(tenant)"
        try SecretFile.createDirectory(directory, for: .owner)
    }

    /// A device's key and certificate, or nil when it has none yet.
    func load(_ device: String) throws -> (key: DeviceKey, certificate: [UInt8])? {
        let path = path(device)
        guard SecretFile.exists(path) else { return nil }
        let text = String(decoding: try SecretFile.read(path), as: UTF8.self)
        guard let start = text.firstRange(of: Self.key)?.lowerBound,
            let key = try? DeviceKey(pem: String(text[start...])),
            let certificate = Data(base64Encoded: text[..<start].filter { !$0.isWhitespace })
        else { throw ConfigurationError("\(path) is damaged; remove it, and give the device a new token") }
        return (key, Array(certificate))
    }

    /// Whether the device has a certificate that still counts.
    func isEnrolled(_ device: String) -> Bool {
        guard let certificate = try? load(device)?.certificate, let life = try? CertificateLife(of: certificate) else {
            return false
        }
        return life.ends > Date()
    }

    /// Keeps both in one file, so that a crash leaves either the old pair or the new one.
    func save(_ device: String, _ key: DeviceKey, _ certificate: [UInt8]) throws {
        let text = Data(certificate).base64EncodedString() + "\n" + key.pem + "\n"
        try SecretFile.replace(path(device), with: Array(text.utf8))
    }

    /// Names are of letters, digits and `._:-` and begin with no dot, so each is a file's name.
    private func path(_ device: String) -> String { "\(directory)/\(device).pem" }
}
