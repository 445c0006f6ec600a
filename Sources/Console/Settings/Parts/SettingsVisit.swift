import Access
import Base
import Northbound
import SignIn
import Storage

/// One visit to a part of the settings: who comes, what they hold anywhere in the tenant, and the way to the other parts.
@dynamicMemberLookup
struct SettingsVisit: Sendable {
    let console: ConsoleParts
    let visit: TenantVisit
    let section: SettingsSection?
    /// What the visitor holds anywhere in the tenant: it decides what is shown, never what may be done.
    let held: Set<Permission>
    let tabs: [SettingsTab]

    init(_ console: ConsoleParts, _ visit: TenantVisit, _ section: SettingsSection?) async throws {
        self.console = console
        self.visit = visit
        self.section = section
        let held = try await console.reach(of: visit.principal, in: visit.tenant).0
        self.held = held
        tabs = SettingsSection.allCases.filter { held.contains($0.permission) }.map {
            SettingsTab(label: $0.label, note: $0.note, address: visit.home + $0.path, isOn: $0 == section)
        }
    }

    /// The parts of the visit, as if they were its own.
    subscript<T>(dynamicMember member: KeyPath<TenantVisit, T>) -> T { visit[keyPath: member] }

    /// The tenant.
    var tenantID: TenantID { visit.tenant.id }

    /// A parameter of the path.
    func path(_ name: String) -> String { visit.path(name) }

    /// Whether the visitor may do this somewhere in the tenant.
    func can(_ permission: Permission) -> Bool { held.contains(permission) }

    /// The address of this part of the settings, or of something in it.
    func address(_ steps: String...) -> String {
        ([visit.home + (section?.path ?? "/settings")] + steps.map { $0.percentEncoded }).joined(separator: "/")
    }

    /// The address of another part of the settings, or of something in it.
    func address(of section: SettingsSection, _ steps: String...) -> String {
        ([visit.home + section.path] + steps.map { $0.percentEncoded }).joined(separator: "/")
    }

    /// What every page of the settings needs to know of where it is.
    var place: SettingsPlace {
        let kept = ["state", "kind", "outlet"].compactMap { name in
            visit.query.text(name).map { "\(name)=\($0.percentEncoded)" }
        }
        return SettingsPlace(
            tabs: tabs, part: section.map { SettingsCrumb(place: $0.label, way: address()) },
            first: visit.query.has("cursor")
                ? address() + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&")) : nil)
    }

    /// How outlets are made, changed and deleted.
    var outlets: OutletActs {
        OutletActs(database: console.database, access: console.access, delivery: console.delivery)
    }

    /// The reason that the form gives.
    var reason: String? { visit.form.text("reason") }

    /// Decides whether the visitor may do this in the whole tenant, for what no part decides itself because the object
    /// is the tenant as a whole.
    func authorize(_ permission: Permission) async throws {
        let (access, principal, tenant) = (console.access, visit.principal, tenantID)
        try await console.database.tenant(tenant).read { tx in
            try access.authorize(principal, permission, tenant: tenant, in: tx)
        }
    }

    /// Whether the visitor may do this in the whole tenant.
    func isAllowed(_ permission: Permission) async throws -> Bool {
        do {
            try await authorize(permission)
            return true
        } catch let refusal as Refusal where refusal.kind == .notFound || refusal.kind == .forbidden {
            return false
        }
    }

    /// Asks for a recent proof before a form is filled in that will need one, so that nothing typed is lost.
    func requireRecent(_ act: DangerousAct) async throws {
        let (signIn, principal) = (console.signIn, visit.principal)
        try await console.database.platform.read { try signIn.requireRecent(principal, for: act, in: $0) }
    }

    /// Makes a change of security settings, or proposes it where the tenant wants a second approver.
    func change(
        _ kind: String, _ change: JSONValue, done: Done, to address: String, _ make: () async throws -> Void
    ) async throws -> Outcome {
        try await self.change(kind, change) {
            try await make()
            return .seeOther(address, done: done)
        }
    }

    /// The same with an answer of its own.
    func change(
        _ kind: String, _ change: JSONValue, _ make: () async throws -> Outcome
    ) async throws -> Outcome {
        do {
            return try await make()
        } catch let refusal as Refusal where refusal.code == "approval.needed" {
            _ = try await console.access.propose(
                kind, change, reason: reason, tenant: tenantID, by: visit.principal)
            return .seeOther(self.address(of: .changes), done: .proposed)
        }
    }

    /// The domains that the visitor may name.
    func domains() async throws -> DomainNames {
        guard can(.domainRead) else { return DomainNames([]) }
        return DomainNames(try await console.access.domains(tenant: tenantID, by: visit.principal))
    }

    /// The roles that can be given here.
    func roles() async throws -> [Role] {
        try await console.access.roles(tenant: tenantID, by: visit.principal)
    }
}

extension ConsoleParts {
    /// A page of a part of the settings.
    func settings(
        _ path: String, _ section: SettingsSection, needs permission: Permission? = nil,
        _ handle: @escaping @Sendable (SettingsVisit) async throws -> Outcome
    ) -> Page {
        Page(section.path + path, needs: permission ?? section.permission) { visit in
            try await handle(SettingsVisit(self, visit, section))
        }
    }

    /// What takes a form of a part of the settings.
    func settings(
        posting path: String, _ section: SettingsSection, needs permission: Permission,
        _ handle: @escaping @Sendable (SettingsVisit) async throws -> Outcome
    ) -> Page {
        Page(posting: section.path + path, needs: permission) { visit in
            try await handle(SettingsVisit(self, visit, section))
        }
    }
}
