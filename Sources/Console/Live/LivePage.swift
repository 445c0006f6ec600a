import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

extension PageTable {
    /// The event stream of a tenant's pages: `device` names one whose values are wanted, `waiting` waits for its first.
    static func live(_ console: ConsoleParts, _ sessions: Sessions, _ streams: EventStreams) -> [Page] {
        [
            Page("/live", needs: .tenantRead) { visit in
                let device = try await visit.query.text("device").asyncMap { try await console.readable($0, visit) }
                let (tenant, principal) = (visit.tenant.id, visit.principal)
                let scope = try await console.database.platform.read {
                    try console.access.visibleDomains(principal, .deviceRead, tenant: tenant, in: $0)
                }
                let wish = EventStreams.Wish(
                    tenant: tenant, device: device?.id, waits: visit.query.has("waiting"), seesAll: scope == .all,
                    principal: principal.id)
                let (secret, origin) = (visit.cookie.secret(in: visit.request.headers), visit.visit.origin)
                return .answer(
                    try streams.answer(
                        wish,
                        isVisible: { device in
                            if wish.seesAll || device == wish.device { return true }
                            return (try? await console.fleet.show(device.text, in: tenant, by: principal)) != nil
                        },
                        isAllowed: {
                            _ = try await sessions.visitor(secret ?? "", origin, false)
                            _ = try await console.gatekeeper.admit(
                                principal, .permission(.tenantRead), visit.tenant.slug)
                            if let device { _ = try await console.readable(device.id.text, visit) }
                        }))
            }
        ]
    }
}

extension ConsoleParts {
    /// The device of this name, for a visitor who may read its telemetry.
    func readable(_ name: String, _ visit: TenantVisit) async throws -> Device {
        // Looked up as the server, because reading telemetry is a right of its own beside seeing the device.
        let device = try await fleet.show(name, in: visit.tenant.id, by: .localAdministrator).device
        try await authorize(visit, .telemetryRead, device)
        return device
    }

    /// Decides whether the visitor may do this with a device; what is not for them is as absent.
    private func authorize(_ visit: TenantVisit, _ permission: Permission, _ device: Device) async throws {
        let (access, principal, tenant) = (access, visit.principal, visit.tenant.id)
        do {
            try await database.tenant(tenant).read {
                try access.authorize(
                    principal, permission, tenant: tenant, domain: device.domain, device: device.id, in: $0)
            }
        } catch let refusal as Refusal where refusal.kind == .notFound {
            throw Refusal(.notFound, "device.unknown", "There is no such device, or it is not for you.")
        }
    }
}

extension Optional {
    /// As `map`, with a body that waits.
    func asyncMap<Value>(_ body: (Wrapped) async throws -> Value) async rethrows -> Value? {
        if let self { try await body(self) } else { nil }
    }
}
