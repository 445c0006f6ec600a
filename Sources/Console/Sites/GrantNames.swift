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

/// The names that grants and their changes are told with.
struct NamesOfGrants: Sendable {
    var people: [PrincipalID: String] = [:]
    var groups: [UserGroupID: String] = [:]
    var roles: [RoleID: String] = [:]
    var devices: [DeviceID: String] = [:]
}

/// Says in words who holds what where.
struct GrantNames: Sendable {
    let names: NamesOfGrants
    let tree: DomainTree

    init(_ names: NamesOfGrants, _ tree: DomainTree) {
        self.names = names
        self.tree = tree
    }

    func person(_ id: PrincipalID) -> String {
        id == Principal.localAdministrator.id ? "the server's operator" : names.people[id] ?? "somebody"
    }

    func holder(_ holder: Grant.Holder) -> String {
        switch holder {
        case .principal(let id): person(id)
        case .group(let id): "the group \(names.groups[id] ?? "that is no more")"
        }
    }

    func role(_ id: RoleID) -> String { names.roles[id] ?? ConsoleParts.roleLabel(id) }

    func domain(_ id: DomainID) -> String { tree.label(id) ?? "a domain that is no more, or not for you" }

    func device(_ id: DeviceID) -> String { names.devices[id] ?? "a device that is no more, or not for you" }

    func place(_ grant: Grant) -> String {
        grant.device.map { "the device \(device($0))" } ?? grant.domain.map { domain($0) } ?? "–"
    }

    /// Who holds what where.
    func words(_ grant: Grant) -> String {
        let end = grant.expires.map { ", until \(Moment($0).text)" } ?? ""
        return "\(holder(grant.holder)): \(role(grant.role)) at \(place(grant))\(end)"
    }
}

extension ConsoleParts {
    /// The names that these grants, devices and people go by, as far as the visitor may know them.
    func names(
        _ grants: [Grant], _ visit: TenantVisit, people: [PrincipalID] = [], devices: [DeviceID] = []
    ) async throws -> NamesOfGrants {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        var names = NamesOfGrants()
        names.people = try await access.names(
            of: Set(people + grants.compactMap(\.holder.principal)), tenant: tenant, by: principal)
        let held = try await permissions(visit, at: visit.tenant.rootDomain)
        if held.contains(.principalRead) {
            if grants.contains(where: { $0.holder.group != nil }) {
                let groups = try await access.groups(tenant: tenant, by: principal)
                names.groups = Dictionary(groups.map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
            }
            let roles = try await access.roles(tenant: tenant, by: principal)
            names.roles = Dictionary(roles.map { ($0.id, $0.name.text) }, uniquingKeysWith: { $1 })
        }
        do {
            names.devices = try await fleet.names(
                of: Set(devices + grants.compactMap(\.device)), in: tenant, by: principal)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            // Who sees no device at all sees no name of one.
        }
        return names
    }
}
