import NIOCore
import NIOSSL
import Synchronization
public import Trust

/// The TLS settings of the device side, with the server certificate of the moment.
///
/// A new certificate means new contexts: connections that begin from then on use them, open ones are not disturbed.
/// Tickets of the old contexts end with them, and their devices make a full handshake. A revocation changes nothing
/// here: the certificate of a resumed session is looked up again after the handshake, so that a ticket opens nothing
/// that its certificate would not.
public final class TLSContexts: Sendable {
    private struct Contexts {
        var device: NIOSSLContext
        var mqtt: NIOSSLContext
    }

    private let contexts: Mutex<Contexts>

    /// Contexts that show this certificate.
    public init(_ certificate: ServerCertificate) throws {
        contexts = Mutex(try Self.make(certificate))
    }

    /// Shows another certificate from now on; making the contexts takes a moment, so do not call it on an event loop.
    public func show(_ certificate: ServerCertificate) throws {
        let fresh = try Self.make(certificate)
        contexts.withLock { $0 = fresh }
    }

    /// For the device listener.
    var device: NIOSSLContext { contexts.withLock { $0.device } }
    /// For the MQTT listener.
    var mqtt: NIOSSLContext { contexts.withLock { $0.mqtt } }

    private static func make(_ certificate: ServerCertificate) throws -> Contexts {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.chainPEM.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(certificate.keyPEM.utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = cipherSuites
        // Asked for and never demanded: enrolment and access tokens come without one. What is presented is verified
        // by our own callback, so no roots are loaded.
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates([])
        configuration.renegotiationSupport = .none
        configuration.shutdownTimeout = .milliseconds(300)
        configuration.applicationProtocols = ["mqtt", "http/1.1"]
        let device = try NIOSSLContext(configuration: configuration)
        configuration.applicationProtocols = ["mqtt"]
        return Contexts(device: device, mqtt: try NIOSSLContext(configuration: configuration))
    }

    /// TLS 1.2 with ephemeral keys and authenticated encryption only; TLS 1.3 has nothing else.
    private static let cipherSuites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")
}
