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

/// What is done to a domain itself.
enum DomainActs {
    private static func name(_ visit: TenantVisit) throws -> Name {
        guard let name = visit.form.text("name").flatMap({ Name($0) }) else {
            throw Refusal(
                .invalid, "name.invalid",
                "A domain's name is 1 to 128 letters, digits or any of . _ : - and begins with a letter or digit.",
                faults: [.init(place: "name", message: "is not such a name")])
        }
        return name
    }

    static func create(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let made = try await console.access.createDomain(
            name(visit), below: visit.path("domain"), tenant: visit.tenant.id, by: visit.principal)
        return .seeOther("\(visit.home)/sites?at=\(made.id.text)", done: .created)
    }

    static func rename(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let changed = try await console.access.changeDomain(
            visit.path("domain"), name: name(visit), tenant: visit.tenant.id, by: visit.principal)
        return .seeOther("\(visit.home)/sites?at=\(changed.id.text)", done: .changed)
    }

    /// Deletes an empty domain, after it has asked.
    static func delete(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let (tenant, principal, fleet) = (visit.tenant.id, visit.principal, console.fleet)
        let domain = try await console.access.domain(visit.path("domain"), tenant: tenant, by: principal)
        let here = "\(visit.home)/sites?at=\(domain.id.text)"
        guard visit.form.has("sure") else {
            return .show(
                ConfirmPage(
                    title: "Delete \(domain.name)?",
                    effect:
                        "The grants and shares that count at it end. Only a domain without devices and domains can be deleted; there is no way back.",
                    address: "\(visit.home)/sites/domains/\(domain.id.text)/delete", act: "delete", verb: "Delete",
                    back: here))
        }
        try await console.access.deleteDomain(
            domain.id.text, tenant: tenant, by: principal, isUsed: { try fleet.hasDevices(in: $0, $1) })
        return .seeOther("\(visit.home)/sites\(domain.parent.map { "?at=\($0.text)" } ?? "")", done: .deleted)
    }
}
