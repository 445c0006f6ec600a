import Access
import Base
import Northbound
import Operations
import Storage

/// The pages about firmware: which versions devices have, releases, and the files that they are made of.
extension PageTable {
    static func firmware(_ console: ConsoleParts, _ assets: Assets) -> [Page] {
        let script = assets.address("uploads.js") ?? ""
        return [
            Page("/firmware", needs: .releaseRead) { visit in
                try await .show(FirmwarePage(console, visit), live: "\(visit.home)/live")
            }
        ] + releases(console, script) + files(console, script)
    }

    private static func releases(_ console: ConsoleParts, _ script: String) -> [Page] {
        let one = "/firmware/releases/{release}"
        return [
            Page("/firmware/releases", needs: .releaseRead) { visit in
                try await .show(ReleasesPage(console, visit), live: "\(visit.home)/live")
            },
            Page("/firmware/releases/new", needs: .releaseManage) { visit in
                try await .show(ReleaseForm(console, visit, nil, visit.query))
            },
            Page(posting: "/firmware/releases/new", needs: .releaseManage) { visit in
                try await ReleaseForm.take(console, visit, nil)
            },
            Page(one, needs: .releaseRead) { visit in
                try await .show(ReleasePage(console, visit, script: script), live: "\(visit.home)/live")
            },
            Page("\(one)/edit", needs: .releaseManage) { visit in
                let release = try await console.release(visit)
                return try await .show(ReleaseForm(console, visit, release, nil))
            },
            Page(posting: "\(one)/edit", needs: .releaseManage) { visit in
                try await ReleaseForm.take(console, visit, console.release(visit))
            },
            Page(posting: "\(one)/files", needs: .releaseManage) { visit in
                try await ReleaseFiles.take(console, visit, script: script)
            },
        ]
            + ReleaseAct.allCases.flatMap { act in
                [
                    Page("\(one)/\(act.rawValue)", needs: .releaseManage) { visit in
                        try await act.ask(console, visit)
                    },
                    Page(posting: "\(one)/\(act.rawValue)", needs: .releaseManage) { visit in
                        try await act.run(console, visit)
                    },
                ]
            }
    }

    private static func files(_ console: ConsoleParts, _ script: String) -> [Page] {
        let one = "/firmware/files/{artifact}"
        return [
            Page("/firmware/files", needs: .artifactRead) { visit in
                try await .show(FilesPage(console, visit, script: script), live: "\(visit.home)/live")
            },
            Page(posting: "/firmware/files", needs: .artifactManage) { visit in
                try await FileUpload.begin(console, visit)
            },
            Page("\(one)/state", needs: .artifactManage) { visit in try await FileUpload.state(console, visit) },
            Page(receiving: "\(one)/bytes", needs: .artifactManage) { visit in
                try await FileUpload.take(console, visit)
            },
            Page("\(one)/content", needs: .artifactRead) { visit in try await FilesPage.content(console, visit) },
            Page("\(one)/delete", needs: .artifactManage) { visit in try await FilesPage.ask(console, visit) },
            Page(posting: "\(one)/delete", needs: .artifactManage) { visit in
                try await FilesPage.delete(console, visit)
            },
        ]
    }
}

extension ConsoleParts {
    /// The release in the path, for a visitor who may see it.
    func release(_ visit: TenantVisit) async throws -> Release {
        guard let id = ReleaseID(text: visit.path("release")) else {
            throw Refusal(.notFound, "release.unknown", "There is no such release, or it is not for you.")
        }
        return try await operations.release(id, in: visit.tenant.id, by: visit.principal)
    }

    /// What a visitor may do in the whole tenant: releases and files belong to no domain.
    func isAllowed(_ permission: Permission, _ visit: TenantVisit) async throws -> Bool {
        let (access, principal, tenant) = (access, visit.principal, visit.tenant.id)
        do {
            try await database.tenant(tenant).read {
                try access.authorize(principal, permission, tenant: tenant, in: $0)
            }
            return true
        } catch let refusal as Refusal where refusal.kind == .notFound || refusal.kind == .forbidden {
            return false
        }
    }
}

extension TenantVisit {
    /// The artifact in the path.
    var artifact: ArtifactID {
        get throws {
            guard let id = ArtifactID(text: path("artifact")) else {
                throw Refusal(.notFound, "artifact.unknown", "There is no such artifact, or it is not for you.")
            }
            return id
        }
    }
}

/// The parts of the pages about firmware.
enum FirmwareTab: String, CaseIterable {
    case overview = ""
    case releases, campaigns, files

    private var label: String {
        switch self {
        case .overview: "Versions"
        case .releases: "Releases"
        case .campaigns: "Campaigns"
        case .files: "Files"
        }
    }

    /// The links from one part to the others, for whoever may go there.
    static func links(_ on: FirmwareTab, _ console: ConsoleParts, _ visit: TenantVisit) async throws
        -> [DevicesPage.Chip]
    {
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        let here = "\(visit.home)/firmware"
        let tabs = allCases.filter { tab in
            switch tab {
            case .overview, .releases: held.contains(.releaseRead)
            case .campaigns: held.contains(.taskRead)
            case .files: held.contains(.artifactRead)
            }
        }
        var links = tabs.map { tab in
            DevicesPage.Chip(
                label: tab.label, address: tab == .overview ? here : "\(here)/\(tab.rawValue)", isOn: tab == on)
        }
        if held.contains(.artifactRead) {
            links.append(
                .init(label: "Update keys", address: visit.home + SettingsSection.updateKeys.path, isOn: false))
        }
        return links
    }
}
