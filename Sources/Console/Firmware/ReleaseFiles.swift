import Access
import Base
import Northbound
import Operations

/// The files of a draft: one is added, or taken out, at a time.
enum ReleaseFiles {
    static func take(_ console: ConsoleParts, _ visit: TenantVisit, script: String) async throws -> Outcome {
        let release = try await console.release(visit)
        let again = { (message: String) async throws -> Outcome in
            .again(try await ReleasePage(console, visit, script: script, fault: message))
        }
        guard let file = visit.form.text("file").flatMap({ ArtifactID(text: $0) }) else {
            return try await again("Choose a file.")
        }
        guard var draft = ReleaseDraft(release) else {
            return try await again("The release is \(release.state.label.lowercased()), and only drafts change.")
        }
        do {
            if visit.form.text("act") == "remove" {
                draft.artifacts.removeAll { $0 == file }
                if draft.sbom == file { draft.sbom = nil }
            } else if case .whole(let artifact) = try await console.operations.artifact(
                file, in: visit.tenant.id, by: visit.principal), artifact.type == .cycloneDX
            {
                // A bill of materials says what is in a release; devices do not install it.
                draft.sbom = file
            } else {
                draft.artifacts.append(file)
            }
            _ = try await console.operations.changeRelease(
                release.id, draft, in: visit.tenant.id, by: visit.principal)
        } catch let refusal as Refusal where [.invalid, .conflict, .limited].contains(refusal.kind) {
            return try await again(
                ([refusal.message] + refusal.faults.map { "It \($0.message)." }).joined(separator: " "))
        }
        console.tellOfFirmware(visit)
        return .seeOther("\(visit.home)/firmware/releases/\(release.id.text)", done: .saved)
    }
}

extension ReleaseDraft {
    /// A draft as it stands; nil of what does not change any more.
    init?(_ release: Release) {
        guard release.state == .draft, let component = Name(release.component) else { return nil }
        self.init(
            component: component, version: release.version, counter: release.counter, hardware: release.hardware,
            notes: release.notes, supportEnds: release.supportEnds, artifacts: release.artifacts.map(\.id),
            sbom: release.sbom?.id)
    }
}
