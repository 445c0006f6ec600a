import Access
import Base
import NIOCore
import Northbound
import Operations

/// The files that releases are made of, and those on their way, the newest first.
struct FilesPage: PageView {
    static let template = "files"
    static let menu: MenuItem? = .firmware

    struct Row: Sendable {
        let name: String
        let about: String
        let badge: Badge
        let sha256: String?
        let created: Moment
        let content: String?
        let delete: String?
        let verb: String
    }

    let title = "Files"
    let tabs: [DevicesPage.Chip]
    let rows: [Row]
    let hasRows: Bool
    let upload: UploadBox?
    let address: String
    let next: String?
    let first: String?
    let script: String
}

extension FilesPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, script: String) async throws {
        let address = "\(visit.home)/firmware/files"
        let after = visit.query.text("after").flatMap { ArtifactID(text: $0) }
        let found = try await console.operations.artifacts(
            before: after, limit: ConsoleLimits.pageSize + 1, in: visit.tenant.id, by: visit.principal)
        let page = found.prefix(ConsoleLimits.pageSize)
        let canManage = try await console.isAllowed(.artifactManage, visit)
        self.address = address
        self.script = script
        tabs = try await FirmwareTab.links(.files, console, visit)
        rows = page.map { stored in
            let here = "\(address)/\(stored.id.text)"
            let delete = canManage ? "\(here)/delete" : nil
            switch stored {
            case .whole(let file):
                return Row(
                    name: file.name, about: "\(file.type.label), \(file.size.bytes)",
                    badge: file.signature.badge ?? .off("Whole"), sha256: file.digest,
                    created: Moment(file.created), content: "\(here)/content", delete: delete, verb: "Delete…")
            case .uploading(let upload, let received):
                return Row(
                    name: upload.name,
                    about: "\(received.bytes) of \(upload.size.bytes) have come, sent by \(upload.creatorName)",
                    badge: .warning("On its way"), sha256: nil, created: Moment(upload.created), content: nil,
                    delete: delete, verb: "Give up…")
            }
        }
        hasRows = !rows.isEmpty
        upload = try await UploadBox(console, visit, then: nil, reloads: "files")
        next = found.count > page.count ? page.last.map { "\(address)?after=\($0.id.text)" } : nil
        first = after == nil ? nil : address
    }

    /// The bytes of a file, for a browser to save.
    static func content(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let (artifact, bytes) = try await console.operations.content(
            of: visit.artifact, in: visit.tenant.id, by: visit.principal)
        return .answer(
            .file(artifact.name, digest: artifact.digest) {
                Array(try await console.operations.read(bytes, at: $0).readableBytesView)
            })
    }

    /// The question before a file is deleted, or an upload given up.
    static func ask(_ console: ConsoleParts, _ visit: TenantVisit, fault: String? = nil) async throws -> Outcome {
        let stored = try await console.operations.artifact(
            visit.artifact, in: visit.tenant.id, by: visit.principal)
        let list = "\(visit.home)/firmware/files"
        let (title, effect, verb) =
            switch stored {
            case .whole(let file):
                ("Delete \(file.name)?", "Its bytes are gone. A file that a release has stays.", "Delete")
            case .uploading(let upload, _):
                ("Give up the upload of \(upload.name)?", "What has come of it is gone.", "Give up")
            }
        let page = FirmwareConfirmPage(
            title: title, effect: effect, fault: fault, address: "\(list)/\(stored.id.text)/delete", verb: verb,
            look: "primary danger", back: list)
        return fault == nil ? .show(page) : .again(page)
    }

    static func delete(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        do {
            try await console.operations.deleteArtifact(visit.artifact, in: visit.tenant.id, by: visit.principal)
        } catch let refusal as Refusal where refusal.kind == .conflict {
            return try await ask(console, visit, fault: refusal.message)
        }
        console.tellOfFirmware(visit)
        return .seeOther("\(visit.home)/firmware/files", done: .deleted)
    }
}
