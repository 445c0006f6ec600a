import Access
import Base
import HTTPTypes
import Hummingbird
import Northbound
import Operations

/// A browser sends a file in parts and goes on after a cut: the server says how much it has.
///
/// The parts are no forms, so the session's token comes in a header field, which no other site can add to a request; the
/// browser must say that the request comes from here, as with every form.
enum FileUpload {
    /// Begins to take a file.
    static func begin(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        try await answering {
            let draft = try ArtifactDraft(
                name: visit.form.text("name") ?? "", size: visit.form.text("size").flatMap { Int64($0) } ?? 0)
            let upload = try await console.operations.begin(draft, in: visit.tenant.id, by: visit.principal)
            console.tellOfFirmware(visit)
            return words(.uploading(upload, received: 0), visit)
        }
    }

    /// How much has come.
    static func state(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        .answer(
            .ok(
                words(
                    try await console.operations.artifact(
                        visit.artifact, in: visit.tenant.id, by: visit.principal), visit)))
    }

    /// Takes a part of the file, from where the sender says that it begins.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        try await answering {
            let upload = try await console.operations.upload(visit.artifact, in: visit.tenant.id, by: visit.principal)
            guard let offset = visit.request.headers[.uploadOffset].flatMap({ Int64($0) }), offset >= 0 else {
                throw Refusal(.invalid, "request.invalid", "The part does not say where it begins.")
            }
            let stored = try await console.operations.append(
                visit.request.body, to: upload, at: offset, in: visit.tenant.id, by: visit.principal)
            if case .whole = stored { console.tellOfFirmware(visit) }
            return words(stored, visit)
        }
    }

    private static func words(_ stored: StoredArtifact, _ visit: TenantVisit) -> JSONValue {
        let (received, size, isWhole) =
            switch stored {
            case .uploading(let upload, let received): (received, upload.size, false)
            case .whole(let file): (file.size, file.size, true)
            }
        return [
            "id": .string(stored.id.text), "address": .string("\(visit.home)/firmware/files/\(stored.id.text)"),
            "received": .integer(received), "size": .integer(size), "whole": .bool(isWhole),
        ]
    }

    /// The answer, or what is wrong, for the page's script to show.
    private static func answering(_ act: () async throws -> JSONValue) async throws -> Outcome {
        do {
            return .answer(.ok(try await act()))
        } catch let refusal as Refusal where refusal.kind != .notFound {
            return .answer(
                Answer(
                    refusal.kind.status,
                    .json([
                        "code": .string(refusal.code), "message": .string(refusal.message),
                        "passes": .bool(refusal.retryAfter != nil),
                    ])))
        }
    }
}

extension HTTPField.Name {
    static let uploadOffset = HTTPField.Name("Upload-Offset") ?? .ifMatch
}

/// Where a page takes files.
struct UploadBox: Sendable {
    let begin: String
    /// Where a file is named when it is whole, so that a draft has it.
    let then: String?
    /// The part of the page that is asked for anew then.
    let reloads: String
}

extension UploadBox {
    /// The box, for a visitor who may bring files.
    init?(_ console: ConsoleParts, _ visit: TenantVisit, then: String?, reloads: String) async throws {
        guard try await console.isAllowed(.artifactManage, visit) else { return nil }
        begin = "\(visit.home)/firmware/files"
        self.then = then
        self.reloads = reloads
    }
}
