import Base
import FoundationEssentials

/// Certificates: the first one, and fresh ones before they end.
extension AgentService {
    /// A way to ask, with a certificate that is good: the first one, the present one, or a fresh one when it is time.
    func calls() async throws -> ServerCalls {
        let now = Date(timeIntervalSince1970: Double(clock.now.seconds))
        if kept == nil {
            try await enrol()
        } else if let kept, kept.life.ends <= now, let token = settings.token, token != spentToken {
            // One that is over opens nothing any more: with a new token the device begins anew. Where it is the device's
            // clock that is wrong, and the token an old one, the certificate may still be good.
            do {
                try await enrol()
            } catch {
                log.say("the device could not enrol anew", ["reason": "\(error)"])
            }
        }
        if let kept, kept.life.renewal <= now { try? await renew() }
        guard let kept else { throw FileFailure("there is no certificate") }
        if settings.separateStream, keptStream.map({ $0.life.renewal <= now }) ?? true { try? await renewStream(kept) }
        return ServerCalls(client: client, tenant: settings.tenant, identity: kept.identity)
    }

    private func enrol() async throws {
        guard let token = settings.token else { throw FileFailure("there is no certificate, and no token for one") }
        let key = try store.pendingKey()
        do {
            let certificate = try await ESTClient(client).enrol(
                tenant: settings.tenant, device: settings.device, token: token, key: key)
            kept = try store.keep(key, certificate: certificate)
        } catch let failure as ESTClient.Failure where failure.status == 401 {
            spentToken = token
            throw failure
        }
        log.say("enrolled")
    }

    /// Gets a new certificate for a new key.
    func renew() async throws {
        guard let present = kept else { return }
        do {
            let key = try store.pendingKey()
            let certificate = try await ESTClient(client).renew(
                tenant: settings.tenant, device: settings.device, key: key, identity: present.identity)
            kept = try store.keep(key, certificate: certificate)
            log.say("renewed the certificate")
        } catch {
            log.say("the certificate could not be renewed", ["reason": "\(error)"])
            throw error
        }
    }

    func renewStream(_ maintenance: IdentityStore.Kept) async throws {
        let key = try streamStore.pendingKey()
        let certificate = try await ESTClient(client).renew(
            tenant: settings.tenant, device: settings.device, key: key, identity: maintenance.identity,
            channel: "stream")
        keptStream = try streamStore.keep(key, certificate: certificate)
        log.say("got a certificate for telemetry")
    }

    /// What opens the streaming channel; nil as long as nothing does.
    var streamIdentity: DeviceIdentity? { settings.separateStream ? keptStream?.identity : kept?.identity }
}
