import Base
import Fleet
import Storage
import Testing

@testable import Access
@testable import Operations

/// Short forms for tests of campaigns.
extension OperationsFixture {
    /// A published release of a component, of which nobody has files.
    func release(
        _ version: String, of component: String = "system", hardware: [String] = []
    ) async throws -> ReleaseID {
        let id = ReleaseID(now: world.time.now)
        let draft = ReleaseDraft(component: try #require(Name(component)), version: version, hardware: hardware)
        try await world.database.tenant(world.acme).write { [now = world.time.now] transaction in
            let last = try ReleaseStore.lastCounter(of: component, drafts: true, in: transaction)
            try ReleaseStore.put(
                id, draft, counter: last + 1, creator: Self.admin.id, named: Self.admin.name, at: now,
                in: transaction)
            try ReleaseStore.set(.published, id, at: now, in: transaction)
        }
        return id
    }

    /// Orders a campaign, and lets the clock turn, so that its first group begins.
    func campaign(
        _ release: ReleaseID, _ groups: [CampaignDraft.Share] = [.percent(100)],
        target: OperationTarget? = .filter(nil), rules: CampaignRules = CampaignRules(),
        terms: OperationTerms = OperationTerms(), newcomers: Bool = false, by principal: Principal = Self.admin
    ) async throws -> Campaign {
        let made = try await operations.createCampaign(
            CampaignDraft(
                release, target, groups: groups, rules: rules, terms: terms, takesNewcomers: newcomers),
            in: world.acme, by: principal)
        try await operations.turn()
        return try await campaign(made.id)
    }

    func campaign(_ id: CampaignID) async throws -> Campaign {
        try await operations.campaign(id, in: world.acme, by: Self.admin)
    }

    /// Those of the devices that have something to do.
    func busy(_ devices: [Device]) -> [Device] { devices.filter { operations.board.next(for: $0.id) != nil } }

    /// Has devices say the same of what they are to do, and lets the clock turn.
    func all(_ devices: [Device], say report: TaskFeedback.Report) async throws {
        for device in devices { _ = try await say(report, of: try next(device), from: device) }
        try await operations.turn()
    }

    /// The version that a device is known to have.
    func version(_ device: Device, of component: String = "system") async throws -> String? {
        try await world.fleet.show(device.name.text, in: world.acme, by: Self.admin).device.components[component]
    }

    /// A person with a role, as they are after signing in.
    func person(_ name: String, _ role: String, at domain: String? = nil) async throws -> Principal {
        let info = try await world.access.createPrincipal(
            try #require(Name(name)), kind: .user, tenant: world.acme, by: Self.admin)
        _ = try await world.access.grant(role: role, to: name, at: domain, tenant: world.acme, by: Self.admin)
        return Principal(id: info.id, kind: .user, tenant: world.acme, name: name, credential: nil, address: nil)
    }
}
