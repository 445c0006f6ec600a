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

/// What the identifiers on a page of the log stand for, and how the sessions on it ended.
struct AuditNames: Sendable {
    private var devices: [DeviceID: String] = [:]
    private var people: [PrincipalID: String] = [:]
    private var ends: [String: SessionEnd] = [:]
    private let tenants: TenantDirectory
    private let own: Tenant

    init(_ entries: [RecordedEntry], _ console: ConsoleParts, _ visit: TenantVisit) async throws {
        tenants = console.access.directory
        own = visit.tenant
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let (access, fleet, signIn) = (console.access, console.fleet, console.signIn)
        let objects = entries.map(\.object)
        let (devices, people, ends) = try await console.database.tenant(tenant).read { tx in
            let devices = try fleet.names(
                of: objects.filter { $0.kind == "device" }.compactMap { DeviceID(text: $0.id) }, tenant: tenant,
                by: principal, in: tx)
            let people = try access.names(
                of: objects.filter { ["principal", "account"].contains($0.kind) }
                    .compactMap { PrincipalID(text: $0.id) }, in: tx)
            let sessions = entries.filter { $0.code == AuditCode.sessionOpened.text }.map(\.object.id)
            return (devices, people, try signIn.sessionEnds(of: sessions, tenant: tenant, in: tx))
        }
        self.devices = devices.mapValues(\.text)
        self.people = people
        self.ends = ends
    }

    /// What an entry is about, for people.
    func subject(_ object: AuditObject) -> String {
        switch object.kind {
        case "device": DeviceID(text: object.id).flatMap { devices[$0] } ?? object.id
        case "principal", "account": PrincipalID(text: object.id).flatMap { people[$0] } ?? object.id
        case "audit", "tenant": ""
        default: object.id
        }
    }

    /// The page of what an entry is about, when there is one.
    func address(_ object: AuditObject, home: String) -> String? {
        guard object.kind == "device", let name = DeviceID(text: object.id).flatMap({ devices[$0] }) else { return nil }
        return "\(home)/devices/\(name)"
    }

    /// The organisation that an actor belongs to; empty for the server itself and for strangers.
    func company(_ actor: Actor) -> String {
        switch actor.kind {
        case .user, .client, .device: actor.home.map { tenants.tenant($0)?.name ?? "Another organisation" } ?? own.name
        case .system, .unknown: ""
        }
    }

    /// How a session ended, when the entry tells of one that was opened.
    func end(_ entry: RecordedEntry) -> SessionEnd? {
        entry.code == AuditCode.sessionOpened.text ? ends[entry.object.id] : nil
    }
}
