import Access
import Audit
import Base
import Blobs
import Console
import Delivery
import Fleet
import Logging
import Northbound
import OAuth
import Operations
import ServiceLifecycle
import SignIn
import Southbound
import Storage
import Telemetry
import Trust
import Watch

/// What a running server does now and then: renews certificates, writes when tokens were used, forgets what has
/// expired, and removes what a deleted tenant left.
struct Upkeep: Service {
    /// The time between two rounds.
    static let interval = Duration.seconds(60)

    let parts: ServerParts
    let contexts: TLSContexts
    let people: NorthboundServer
    let mqtt: MQTTService
    let console: ConsoleParts

    func run() async throws {
        var round = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            await attempt("credential use") { try await parts.access.flushCredentialUse() }
            await attempt("failures of contact") { try await parts.fleet.flushFailures() }
            await attempt("reports") { try await console.sendDueReports() }
            mqtt.removeExpiredSessions()
            await attempt("deleted tenants") { try await removeDeletedTenants() }
            if round.isMultiple(of: 60) {
                await attempt("certificates") { try await renewCertificates() }
                await attempt("keys") { _ = try await parts.keyRing.rotationStep(in: parts.database) }
                await attempt("oauth") {
                    try await parts.oauth.rotateKeys()
                    try await parts.oauth.prune()
                    try await parts.directories.prune()
                }
                await attempt("events") { try await trimEvents() }
                await attempt("deliveries") { try await parts.delivery.trim() }
                await attempt("alerts") { try await parts.watch.trim() }
                await attempt("operations") { try await parts.operations.trim() }
                await attempt("artifacts") { try await parts.operations.tidyArtifacts() }
            }
            await attempt("shares") { try await parts.access.endExpiredShares() }
            await attempt("changes") { try await parts.access.endExpiredChanges() }
            if round.isMultiple(of: 1440) {
                await attempt("retention") { try await keepToPlans() }
                await attempt("credentials") { try await parts.access.removeEndedCredentials() }
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

    /// Ends what tenants' plans keep for less time than the whole server does.
    private func keepToPlans() async throws {
        for tenant in parts.access.directory.tenants {
            guard let plan = parts.access.directory.plan(of: tenant.id) else { continue }
            let now = WallClock.system.now
            _ = try await parts.audit.trim(tenant.id, olderThan: now - .seconds(Int64(plan.auditDays) * 86_400))
            try await parts.telemetry.retire(tenant: tenant.id, olderThan: .seconds(Int64(plan.rawDays) * 86_400))
        }
    }

    private func trimEvents() async throws {
        let age = Duration.seconds(Int64(parts.configuration.eventDays) * 86_400)
        for tenant in parts.access.directory.tenants {
            try await parts.fleet.trimEvents(of: tenant.id, olderThan: age)
        }
    }

    private func removeDeletedTenants() async throws {
        for tenant in try await parts.access.deletedTenants() {
            try await parts.operations.purge(tenant)
            try await parts.watch.purge(tenant)
            try await parts.fleet.purge(tenant)
            try await parts.delivery.purge(tenant)
            try await parts.telemetry.remove(tenant: tenant, device: nil)
            parts.verifier.distrust(tenant)
            try await parts.oauth.purge(tenant)
            try await parts.directories.purge(tenant)
            try await parts.signIn.purge(tenant)
            try await console.purge(tenant)
            try await parts.access.forgetTenant(tenant)
        }
    }

    private func attempt(_ what: String, _ act: () async throws -> Void) async {
        do {
            try await act()
        } catch {
            parts.logger.error(
                "upkeep failed and will be tried again", metadata: ["step": "\(what)", "error": "\(error)"])
        }
    }
}
