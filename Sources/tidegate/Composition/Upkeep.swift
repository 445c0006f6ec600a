import Access
import Base
import Fleet
import Logging
import Northbound
import ServiceLifecycle
import Southbound
import Storage
import Telemetry
import Trust

/// What a running server does now and then: renews certificates, writes when tokens were used, forgets what has
/// expired, and removes what a deleted tenant left.
struct Upkeep: Service {
    /// The time between two rounds.
    static let interval = Duration.seconds(60)

    let parts: ServerParts
    let contexts: TLSContexts
    let people: NorthboundServer
    let mqtt: MQTTService

    func run() async throws {
        var round = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            await attempt("token use") { try await parts.access.flushTokenUse() }
            mqtt.removeExpiredSessions()
            await attempt("deleted tenants") { try await removeDeletedTenants() }
            if round.isMultiple(of: 60) {
                await attempt("certificates") { try await renewCertificates() }
                await attempt("keys") { _ = try await parts.keyRing.rotationStep(in: parts.database) }
            }
            round += 1
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
    }

    private func renewCertificates() async throws {
        try parts.authorities.reload()
        for anchor in try await parts.issuing.renew(in: parts.database) { parts.verifier.trust(anchor) }
        try contexts.show(parts.authorities.serverCertificate(for: "device", names: parts.serverNames))
        try people.reloadCertificate()
        let certificates = DeviceCertificates(issuing: parts.issuing)
        _ = try await parts.database.platform.write { try certificates.prune(in: $0.acrossTenants) }
    }

    private func removeDeletedTenants() async throws {
        for tenant in try await parts.access.deletedTenants() {
            try await parts.fleet.purge(tenant)
            try await parts.telemetry.remove(tenant: tenant, device: nil)
            parts.verifier.distrust(tenant)
            try await parts.access.forgetTenant(tenant)
        }
    }

    private func attempt(_ what: String, _ act: () async throws -> Void) async {
        do {
            try await act()
        } catch {
            parts.logger.error("upkeep failed and will be tried again", metadata: ["step": "\(what)", "error": "\(error)"])
        }
    }
}
