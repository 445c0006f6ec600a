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
                let found = try await visit.query.text("device").asyncMap { try await console.readable($0, visit) }
                let (tenant, principal) = (visit.tenant.id, visit.principal)
                let (scope, until) = try await console.database.platform.read {
                    (
                        try console.access.visibleDomains(principal, .deviceRead, tenant: tenant, in: $0),
                        try console.access.rightsEnd(of: principal, in: tenant, in: $0)
                    )
                }
                let wish = EventStreams.Wish(
                    tenant: tenant, found: found, waits: visit.query.has("waiting"), seesAll: scope == .all,
                    principal: principal.id, until: until)
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
                            guard let found else { return }
                            let now = try await console.readable(found.device.id.text, visit)
                            guard now.hidden == found.hidden else {
                                throw Refusal(.notFound, "not.found", "What is for you has changed.")
                            }
                        }))
            }
        ]
    }
}

extension ConsoleParts {
    /// The device of this name, for a visitor who may read its telemetry.
    func readable(_ name: String, _ visit: TenantVisit) async throws -> ReadableDevice {
        try await fleet.readable(name, in: visit.tenant.id, by: visit.principal)
    }
}

extension Optional {
    /// As `map`, with a body that waits.
    func asyncMap<Value>(_ body: (Wrapped) async throws -> Value) async rethrows -> Value? {
        if let self { try await body(self) } else { nil }
    }
}
