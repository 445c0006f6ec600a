import Access
import Base
import Fleet
import Northbound
import Operations

/// A release: what it is, its files with their hashes, and which devices have it.
struct ReleasePage: PageView {
    static let template = "release"
    static let menu: MenuItem? = .firmware

    /// Something that can be done to it.
    struct Act: Sendable {
        let label: String
        let address: String
        let look: String
    }

    /// How the files of a draft are changed.
    struct Draft: Sendable {
        let files: String
        let choices: [DevicesPage.Choice]
        let hasChoices: Bool
        let upload: UploadBox?
    }

    let title: String
    let badge: Badge
    let summary: String
    let facts: [DeviceView.Fact]
    let notes: String?
    let artifacts: [FileLine]
    let hasArtifacts: Bool
    let sbom: FileLine?
    /// The devices that say that they have it; nil for who may not see devices.
    let devices: Devices?
    let acts: [Act]
    let draft: Draft?
    let fault: String?
    let list: String
    let address: String
    let script: String

    /// How many devices have it, and where their list is.
    struct Devices: Sendable {
        let words: String
        let address: String
    }
}

extension ReleasePage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, script: String, fault: String? = nil) async throws {
        let release = try await console.release(visit)
        let here = "\(visit.home)/firmware/releases/\(release.id.text)"
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        let canManage = try await console.isAllowed(.releaseManage, visit)
        let canRead = try await console.isAllowed(.artifactRead, visit)
        title = "\(release.component) \(release.version)"
        badge = release.state.badge
        summary =
            release.state == .draft
            ? "No device gets it before it is published."
            : release.isSupportOver(at: console.clock.now)
                ? "Nobody looks after it any more." : ""
        facts = Self.facts(release, visit)
        notes = release.notes.isEmpty ? nil : release.notes
        artifacts = release.artifacts.map { FileLine($0, visit.home, canRead: canRead) }
        hasArtifacts = !artifacts.isEmpty
        sbom = release.sbom.map { FileLine($0, visit.home, canRead: canRead) }
        devices = held.contains(.deviceRead) ? try await Self.devices(console, visit, release) : nil
        let rollOut = ReleasePage.Act(
            label: "Roll out…", address: "\(visit.home)/firmware/campaigns/new?release=\(release.id.text)",
            look: "primary")
        acts =
            (release.state == .published && held.contains(.taskInstall) ? [rollOut] : [])
            + (canManage ? ReleaseAct.offered(for: release, here) : [])
        draft =
            canManage && release.state == .draft
            ? try await Self.draft(console, visit, release, here) : nil
        self.fault = fault
        list = "\(visit.home)/firmware/releases"
        address = here
        self.script = script
    }

    private static func facts(_ release: Release, _ visit: TenantVisit) -> [DeviceView.Fact] {
        [
            .init("Component", release.component), .init("Version", release.version),
            .init("Counter", Int(release.counter).grouped),
            release.hardware.isEmpty ? .init("Hardware", "any") : .init("Hardware", tags: release.hardware),
            .init(
                "Looked after until", release.supportEnds == nil ? "nobody has said" : nil,
                time: Moment(release.supportEnds)),
            .init("Made by", release.creatorName), .init("Made", time: Moment(release.created)),
            .init("Published", time: Moment(release.published)), .init("Withdrawn", time: Moment(release.withdrawn)),
        ].filter { !$0.isEmpty }
    }

    private static func devices(
        _ console: ConsoleParts, _ visit: TenantVisit, _ release: Release
    ) async throws -> Devices? {
        let filter = "component.\(release.component) = \(DeviceFilter.quoted(release.version))"
        guard (try? DeviceFilter(filter)) != nil else { return nil }
        let count = try await console.fleet.count(filter: filter, in: visit.tenant.id, by: visit.principal)
        return Devices(
            words: count == 0 ? "No device says that it has it." : "\(count.counted("device has", "devices have")) it",
            address: "\(visit.home)/devices?filter=\(filter.percentEncoded)")
    }

    private static func draft(
        _ console: ConsoleParts, _ visit: TenantVisit, _ release: Release, _ here: String
    ) async throws -> Draft {
        let there = Set(release.artifacts.map(\.id) + [release.sbom?.id].compactMap { $0 })
        var choices: [DevicesPage.Choice] = []
        if try await console.isAllowed(.artifactRead, visit) {
            choices = try await console.operations.artifacts(
                limit: ConsoleLimits.offeredNames, in: visit.tenant.id, by: visit.principal
            ).compactMap { stored in
                guard case .whole(let file) = stored, !there.contains(file.id) else { return nil }
                return .init(
                    value: file.id.text, label: "\(file.name), \(file.size.bytes), \(Moment(file.created).text)",
                    isOn: false)
            }
        }
        let upload = try await UploadBox(console, visit, then: "\(here)/files", reloads: "files")
        return Draft(files: "\(here)/files", choices: choices, hasChoices: !choices.isEmpty, upload: upload)
    }
}

extension Release {
    /// Whether nobody looks after it any more.
    func isSupportOver(at now: Timestamp) -> Bool { supportEnds.map { $0 < now } ?? false }
}
