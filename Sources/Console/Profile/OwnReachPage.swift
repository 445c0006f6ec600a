import Access
import Base
import Fleet
import Northbound
import Storage

/// What a person may do, and where: by the one relation of who can reach what.
struct OwnReachPage: ProfileView {
    static let template = "profile-reach"

    struct Place: Sendable {
        let id: String
        let name: String
        let address: String
        /// How many devices the person sees there, and the list of them.
        let devices: Devices?
        let rights: [Right]
        let hasRights: Bool
    }

    struct Devices: Sendable {
        let count: String
        let address: String
    }

    struct Right: Sendable {
        let role: String
        let through: String
        let ends: Moment?
        let permissions: [String]
        let count: String
    }

    let title = "What you may do"
    let tabs = ProfileTab.all(at: .reach)
    let places: [Place]
    let isEmpty: Bool
}

extension OwnReachPage {
    init(_ console: ConsoleParts, _ visit: SignedVisit) async throws {
        let (access, principal) = (console.access, visit.principal)
        let tenants = try await console.database.platform.read {
            try access.tenants(openTo: principal, in: $0)
        }
        var places: [Place] = []
        for tenant in tenants {
            let (held, _) = try await console.reach(of: principal, in: tenant)
            let home = "/t/\(tenant.slug)"
            var devices: Devices?
            if held.contains(.deviceRead) {
                let count = try await console.fleet.count(in: tenant.id, by: principal)
                devices = Devices(
                    count: count == 1 ? "1 device" : "\(count.grouped) devices", address: home + "/devices")
            }
            let rights =
                tenant.id == principal.tenant
                ? try await Self.own(console, principal)
                : [
                    Right(
                        role: "Lent to your organisation", through: "by a share", ends: nil,
                        permissions: held.map(\.rawValue).sorted(), count: Self.words(held.count))
                ]
            places.append(
                Place(
                    id: tenant.slug.text, name: tenant.name, address: home, devices: devices, rights: rights,
                    hasRights: !rights.isEmpty))
        }
        self.places = places
        isEmpty = places.isEmpty
    }

    private static func own(_ console: ConsoleParts, _ principal: Principal) async throws -> [Right] {
        let found = try await console.access.reach(
            of: principal.id.text, tenant: principal.tenant, by: principal)
        // Who may see no domain reads where a role counts in words alone.
        let names = try? await DomainNames(
            console.access.domains(tenant: principal.tenant, by: principal))
        return found.map { reach in
            let place =
                reach.device != nil
                ? "at one device" : "through " + (reach.domain.flatMap { names?.label($0) } ?? "a domain")
            return Right(
                role: reach.roleName,
                through: [place, reach.group.map { "by the group \($0)" }].compactMap { $0 }.joined(
                    separator: ", "),
                ends: Moment(reach.until), permissions: reach.permissions.map(\.rawValue).sorted(),
                count: words(reach.permissions.count))
        }
    }

    private static func words(_ count: Int) -> String {
        count == 1 ? "1 permission" : "\(count) permissions"
    }
}
