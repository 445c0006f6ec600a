import Base
import Fleet
import Logging
import NIOCore
import NIOSSL
import Trust

/// Decides about the certificate that a peer presents: in the handshake, and once more when it is over.
///
/// A resumed session never comes to the first place, and what is true in the first may have changed at the second, so
/// the second asks everything again and the first is only there to fail early, with an alert.
struct PeerCheck: Sendable {
    let verifier: DeviceCertificateVerifier
    let directory: DeviceDirectory
    let services: DeviceServices
    let counters: SouthboundCounters
    let clock: WallClock
    let logger: Logger

    /// The handshake's callback: takes the place of all checks that TLS would make.
    func callback(for connection: DeviceConnection) -> NIOSSLCustomVerificationCallback {
        { certificates, promise in
            do {
                let verified = try verifier.verify(certificates.map { try $0.toDERBytes() }, at: clock.now)
                _ = try directory.admit(verified)
                connection.verified = verified
                promise.succeed(.certificateVerified)
            } catch {
                refuse(error, connection.address)
                promise.succeed(.failed)
            }
        }
    }

    /// The device behind the certificate that TLS now holds for the peer, nil when it presented none.
    func device(of certificate: NIOSSLCertificate?, on connection: DeviceConnection) throws -> AdmittedDevice? {
        guard let certificate else { return nil }
        do {
            let der = try certificate.toDERBytes()
            if let verified = connection.verified, verified.fingerprint == Fingerprint(ofCertificate: der) {
                return try directory.admit(verified)
            }
            counters.resumed.add()
            return try directory.admit(verifier.verify([der], at: clock.now))
        } catch {
            refuse(error, connection.address)
            throw error
        }
    }

    private func refuse(_ error: any Error, _ address: ClientAddress) {
        let reason =
            switch error {
            case let refusal as CertificateRefusal: refusal.rawValue
            case is Refusal: "notAdmitted"
            default: "malformed"
            }
        counters.certificateRefused(reason).add()
        services.refused(address.text, "certificate.\(reason)", nil)
        logger.debug("certificate refused", metadata: ["reason": "\(error)", "address": "\(address)"])
    }
}
