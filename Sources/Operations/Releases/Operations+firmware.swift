public import Access
public import Base
import Fleet
import Storage

/// The versions of one component across the fleet, beside its releases.
public struct ComponentFirmware: Sendable, Hashable {
    /// One version.
    public struct Version: Sendable, Hashable {
        /// What it is called.
        public let version: String
        /// Where it stands among the component's releases; nil when no release has this version.
        public let counter: Int64?
        /// How many devices have it.
        public let devices: Int
        /// How many of these there are of each model; devices without one stand under nothing.
        public let models: [String: Int]
    }

    /// The component.
    public let component: String
    /// The latest published release; nil when there is none.
    public let latest: Release?
    /// The versions that devices have, the latest first, and those that no release has at the end.
    public let versions: [Version]

    /// How many devices have an earlier release than the latest; a version that no release has may be later.
    public var behind: Int {
        guard let latest else { return 0 }
        return versions.reduce(0) { $0 + ($1.counter.map { $0 < latest.counter } ?? false ? $1.devices : 0) }
    }

    /// How many devices have a version that no release has.
    public var unknown: Int { versions.reduce(0) { $0 + ($1.counter == nil ? $1.devices : 0) } }
}

extension Operations {
    /// Which versions of each component devices have, of the devices that the caller may see.
    public func firmware(in tenant: TenantID, by principal: Principal) async throws -> [ComponentFirmware] {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .releaseRead, tenant: tenant, in: transaction)
            let installed = try fleet.installedVersions(of: tenant, for: principal, in: transaction)
            let byComponent = Dictionary(grouping: installed, by: \.component)
            let names = try Set(byComponent.keys).union(ReleaseStore.components(in: transaction))
            return try names.sorted().map { name in
                let order = try VersionOrder(of: name, in: transaction)
                let versions = Dictionary(grouping: byComponent[name] ?? [], by: \.version).map { version, parts in
                    ComponentFirmware.Version(
                        version: version, counter: order.counter(of: version),
                        devices: parts.reduce(0) { $0 + $1.devices },
                        models: Dictionary(
                            parts.map { ($0.model.flatMap { fleet.name(ofModel: $0) } ?? "", $0.devices) },
                            uniquingKeysWith: +))
                }
                return ComponentFirmware(
                    component: name, latest: try ReleaseStore.last(of: name, before: .max, in: transaction),
                    versions: versions.sorted {
                        ($1.counter ?? 0, $0.version) < ($0.counter ?? 0, $1.version)
                    })
            }
        }
    }

    /// Orders a campaign of a component's latest release for every device that has an earlier release of it. What no
    /// release has stays as it is: it may be later.
    public func updateAllBehind(
        _ component: Name, groups: [CampaignDraft.Share] = [.percent(100)], rules: CampaignRules = CampaignRules(),
        terms: OperationTerms = OperationTerms(), in tenant: TenantID, by principal: Principal
    ) async throws -> Campaign {
        let found = try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .releaseRead, tenant: tenant, in: transaction)
            let order = try VersionOrder(of: component.text, in: transaction)
            return try ReleaseStore.last(of: component.text, before: .max, in: transaction).map { latest in
                let installed = try fleet.installedVersions(of: tenant, for: principal, in: transaction)
                let versions = Set(installed.filter { $0.component == component.text }.map(\.version))
                let behind = versions.filter { version in
                    order.counter(of: version).map { $0 < latest.counter } ?? false
                }
                return (latest: latest, behind: behind.sorted(), others: versions.subtracting(behind).sorted())
            }
        }
        guard let (latest, behind, others) = found else {
            throw Refusal(
                .notFound, "component.unknown",
                "There is no such component with a published release, or it is not for you.")
        }
        guard !behind.isEmpty else {
            throw Refusal(.invalid, "campaign.nothing", "No device has an earlier release of this component.")
        }
        guard let filter = DeviceFilter.text(component.text, in: behind, not: others) else {
            throw Refusal(
                .invalid, "campaign.versions",
                "Devices have \(behind.count) earlier and \(others.count) other versions, which are more than one campaign can name. Order a campaign of \(latest.version) with a filter."
            )
        }
        let draft = CampaignDraft(latest.id, .filter(filter), groups: groups, rules: rules, terms: terms)
        return try await createCampaign(draft, in: tenant, by: principal)
    }
}
