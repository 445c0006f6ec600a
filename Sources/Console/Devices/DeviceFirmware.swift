import Access
import Base
import Fleet
import Operations

/// The versions that a device has, beside the newest releases, as its page shows them.
struct DeviceFirmware: Sendable {
    struct Line: Sendable {
        let componentName: String
        let version: String
        /// The release of this version; nil when there is none.
        let releaseAddress: String?
        let standing: Badge?
        /// Where it is brought up to date; nil when it is, or for who may not.
        let updateAddress: String?
    }

    /// A campaign that the device is in.
    struct Rollout: Sendable {
        let campaignTitle: String
        let campaignAddress: String
        let badge: Badge
    }

    let versions: [Line]
    let hasVersions: Bool
    let campaigns: [Rollout]
    let hasCampaigns: Bool
}

extension DeviceFirmware {
    init(_ console: ConsoleParts, _ visit: TenantVisit, _ device: Device, _ held: Set<Permission>) async throws {
        let isTold = try await console.isAllowed(.releaseRead, visit)
        let lines =
            isTold ? try await console.operations.componentReleases(in: visit.tenant.id, by: visit.principal) : []
        let filter = "name = \(DeviceFilter.quoted(device.name.text))".percentEncoded
        versions = device.components.sorted { $0.key < $1.key }.map { name, version in
            let line = lines.first { $0.component == name }
            let known = line?.versions.first { $0.version == version }
            let standing = VersionStanding(of: version, in: line)
            let newest = standing.isBehind ? line?.newest : nil
            return Line(
                componentName: name, version: version,
                releaseAddress: known.map { "\(visit.home)/firmware/releases/\($0.release.text)" },
                standing: standing.badge(newest: line?.newest?.version),
                updateAddress: held.contains(.taskInstall)
                    ? newest.map { "\(visit.home)/tasks/new?release=\($0.release.text)&filter=\(filter)" } : nil)
        }
        hasVersions = !versions.isEmpty
        let found =
            held.contains(.taskRead)
            ? try await console.operations.campaigns(
                ofDevice: device.id.text, limit: 3, in: visit.tenant.id, by: visit.principal) : []
        campaigns = found.map { campaign in
            Rollout(
                campaignTitle: campaign.title,
                campaignAddress: "\(visit.home)/firmware/campaigns/\(campaign.id.text)", badge: campaign.badge)
        }
        hasCampaigns = !campaigns.isEmpty
    }
}
