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

/// Somebody who has access somewhere, by what, and what can be done about it.
struct HolderLine: Sendable {
    let who: String
    let whoAddress: String?
    let role: String
    let through: String
    /// `direct` when it was given right here, `inherited` when it comes from above.
    let kind: String
    let ends: Moment?
    let changeAddress: String?
    let endAddress: String?
}

/// Who has access at one place, each way by which they have it once: a user group stands for its members.
struct HolderLines {
    let lines: [HolderLine]
    /// How many people and programs these are.
    let count: Int

    init(
        _ found: [Reach], at domain: DomainID?, _ tree: DomainTree, _ console: ConsoleParts, _ visit: TenantVisit,
        canManage: Bool
    ) {
        let sites = "\(visit.home)/sites"
        var members: [GrantID: Int] = [:]
        for case .group(_, let grant) in found.map(\.ground) { members[grant, default: 0] += 1 }
        var seen: Set<GrantID> = []
        var lines: [HolderLine] = []
        for reach in found {
            var name = reach.name ?? console.foreign(reach.holder)
            var address = reach.name.map { "\(sites)/people/\($0.percentEncoded)" }
            var grant: GrantID?
            switch reach.ground {
            case .grant(let id): grant = id
            case .group(_, let id):
                guard seen.insert(id).inserted else { continue }
                let count = members[id] ?? 0
                name = "\(reach.group ?? "a group") (\(count == 1 ? "1 person" : "\(count.grouped) people"))"
                address = nil
                grant = id
            case .share: address = nil
            }
            let isDirect = reach.domain == domain && (domain != nil || reach.device != nil)
            let through = reach.domain.map { "through \(tree.label($0) ?? "a domain above")" } ?? "this device only"
            let managed = canManage && isDirect ? grant : nil
            lines.append(
                HolderLine(
                    who: name, whoAddress: address, role: reach.roleName, through: isDirect ? "direct" : through,
                    kind: isDirect ? "direct" : "inherited", ends: Moment(reach.until),
                    changeAddress: managed.map { "\(sites)/grant?replaces=\($0.text)" },
                    endAddress: managed.map { "\(sites)/grants/\($0.text)/end" }))
        }
        // What was given right here comes first.
        self.lines =
            Array(
                (lines.filter { $0.kind == "direct" } + lines.filter { $0.kind != "direct" })
                    .prefix(ConsoleLimits.shownHolders))
        count = Set(found.map(\.holder)).count
    }
}

extension ConsoleParts {
    /// What people read for somebody of another organisation.
    func foreign(_ holder: Reach.Holder) -> String {
        switch holder {
        case .own: "somebody of this organisation"
        case .foreign(_, let tenant): "somebody of \(access.directory.tenant(tenant)?.name ?? "another organisation")"
        case .foreignRole(let role, let tenant):
            "every \(Self.roleLabel(role)) of \(access.directory.tenant(tenant)?.name ?? "another organisation")"
        }
    }

    /// A built-in role's name, or the identifier of another.
    static func roleLabel(_ role: RoleID) -> String { Role.builtIn.first { $0.id == role }?.name.text ?? role.text }
}

extension SitesPage.AccessList {
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ tree: DomainTree, _ domain: Domain, _ held: Set<Permission>
    ) async throws {
        let found = try await console.access.reach(
            domain: domain.id.text, tenant: visit.tenant.id, by: visit.principal)
        let lines = HolderLines(
            found, at: domain.id, tree, console, visit, canManage: held.contains(.principalManage))
        holders = lines.lines
        isNobody = lines.lines.isEmpty
        summary = lines.count == 1 ? "1 person or program" : "\(lines.count.grouped) people and programs"
        grantAddress =
            held.contains(.principalManage) ? "\(visit.home)/sites/grant?domain=\(domain.id.text)" : nil
        shareAddress =
            held.contains(.shareManage) ? "\(visit.home)/sites/shares?domain=\(domain.id.text)#offer" : nil
    }
}
