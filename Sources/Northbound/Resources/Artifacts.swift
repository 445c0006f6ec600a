import Access
import Base
import Blobs
import HTTPTypes
import HummingbirdCore
import NIOCore
import Operations

/// Files that devices fetch: in by resumable uploads, out as they are.
extension RouteTable {
    static func artifacts(_ services: NorthboundServices) -> [Route] {
        let operations = services.operations
        let all = "/api/v1/tenants/{tenant}/artifacts"
        let one = all + "/{artifact}"
        return [
            Route(
                .get, all, "listArtifacts", "Lists artifacts and uploads under way, the newest first.",
                needs: .artifactRead, query: Parameter.paging, success: .page(.artifact)
            ) { call in
                let last = try call.cursor(.artifacts).flatMap { ArtifactID(text: $0) }
                let found = try await operations.artifacts(
                    before: last, limit: call.limit + 1, in: call.tenant.id, by: call.principal)
                let page = found.prefix(call.limit)
                let next = found.count > page.count ? page.last?.id : nil
                return .page(page.map(\.json), next: next.map { Cursor.artifacts.text($0.text) })
            },
            Route(
                .post, all, "createArtifact",
                "Begins a resumable upload (tus 1.0.0): the header says Upload-Length and, in Upload-Metadata, filename and, if wanted, sha256.",
                needs: .artifactManage, success: .created(.artifact)
            ) { call in
                if let refused = ResumableUpload.refused(call) { return refused }
                let upload = try await operations.begin(
                    ResumableUpload.draft(call), in: call.tenant.id, by: call.principal)
                let stored = StoredArtifact.uploading(upload, received: 0)
                var answer = Answer.created(
                    stored.json, at: "/api/v1/tenants/\(call.tenant.slug)/artifacts/\(upload.id)")
                answer.headers.append(contentsOf: ResumableUpload.fields(stored))
                return answer
            },
            Route(
                .get, one, "showArtifact",
                "Shows an artifact, or how much of it has come; HEAD says in Upload-Offset where an upload stands.",
                needs: .artifactRead, success: .json(.artifact)
            ) { call in
                let stored = try await operations.artifact(
                    call.path.identifier("artifact"), in: call.tenant.id, by: call.principal)
                var answer = Answer.ok(stored.json)
                answer.headers = ResumableUpload.fields(stored)
                return answer
            },
            Route(
                .patch, one, "uploadArtifact",
                "Takes bytes of an upload from Upload-Offset on. With the last one it becomes an artifact, or is refused: when it is not what was announced, or not signed for an update key of a tenant that has some.",
                needs: .artifactManage, body: .streamed([ResumableUpload.mediaType]), success: .nothing
            ) { call in
                let upload = try await operations.upload(
                    call.path.identifier("artifact"), in: call.tenant.id, by: call.principal)
                if let refused = ResumableUpload.refused(call) { return refused }
                let stored = try await operations.append(
                    call.request.body, to: upload, at: ResumableUpload.offset(call), in: call.tenant.id,
                    by: call.principal)
                return Answer(.noContent, headers: ResumableUpload.fields(stored))
            },
            Route(
                .delete, one, "deleteArtifact", "Deletes an artifact that no release has, or gives an upload up.",
                needs: .artifactManage, success: .nothing
            ) { call in
                try await operations.deleteArtifact(
                    call.path.identifier("artifact"), in: call.tenant.id, by: call.principal)
                return Answer(.noContent, headers: [.tusResumable: ResumableUpload.version])
            },
            Route(
                .get, one + "/content", "downloadArtifact", "Answers with the bytes of an artifact.",
                needs: .artifactRead, success: .streamed(["application/octet-stream"])
            ) { call in
                let (artifact, bytes) = try await operations.content(
                    of: call.path.identifier("artifact"), in: call.tenant.id, by: call.principal)
                return .file(artifact.name, digest: artifact.sha256.text) {
                    Array(try await operations.read(bytes, at: $0).readableBytesView)
                }
            },
        ]
    }

    /// The keys whose signatures a tenant's updates must have.
    static func updateKeys(_ services: NorthboundServices) -> [Route] {
        let operations = services.operations
        let all = "/api/v1/tenants/{tenant}/update-keys"
        let one = all + "/{updateKey}"
        return [
            Route(
                .get, all, "listUpdateKeys",
                "Lists the keys whose signatures updates must have; where there are none, updates come unverified.",
                needs: .artifactRead, query: Parameter.paging, success: .page(.updateKey)
            ) { call in
                let keys = try await operations.updateKeys(in: call.tenant.id, by: call.principal)
                return try call.page(keys.map { ($0.name.text, $0.json) }, .updateKeys)
            },
            Route(
                .get, one, "showUpdateKey", "Shows a key whose signature updates may have.", needs: .artifactRead,
                success: .json(.updateKey)
            ) { call in
                .ok(
                    try await operations.updateKey(
                        call.path.text("updateKey"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .put, one, "putUpdateKey",
                "Trusts a key for updates; it takes a reason, and a second approver where the tenant wants one.",
                needs: .updateKeyManage,
                body: .json(
                    .named(
                        "UpdateKeyDraft",
                        .object([
                            .required(
                                "pem", .text(.free(atMost: 16_384)),
                                "One certificate, that of an authority included, or one public key, in PEM."),
                            .reason,
                        ]))), success: .json(.updateKey)
            ) { call in
                .ok(
                    try await operations.putUpdateKey(
                        call.path.name("updateKey"), call.body.text("pem"), reason: call.body.textIfAny("reason"),
                        in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .delete, one, "deleteUpdateKey",
                "Trusts a key for updates no more; it takes a reason, and a second approver where the tenant wants one.",
                needs: .updateKeyManage, query: [.reason], success: .nothing
            ) { call in
                try await operations.deleteUpdateKey(
                    call.path.text("updateKey"), reason: call.query.textIfAny("reason"), in: call.tenant.id,
                    by: call.principal)
                return .done
            },
        ]
    }
}

extension Answer {
    /// A file that a browser saves; `read` has its bytes from a place on, none at the end.
    package static func file(
        _ name: String, digest: String, _ read: @escaping @Sendable (Int64) async throws -> [UInt8]
    ) -> Answer {
        var answer = Answer.stream("application/octet-stream") { writer in
            var place: Int64 = 0
            while true {
                let part = try await read(place)
                guard !part.isEmpty else { break }
                try await writer.write(part)
                place += Int64(part.count)
            }
        }
        answer.headers[.eTag] = "\"\(digest)\""
        answer.headers[.contentDisposition] = ContentDisposition.attachment(name)
        return answer
    }
}

/// The field that has browsers save an answer as a file (RFC 6266).
enum ContentDisposition {
    /// The field for a file of this name; what is not ASCII is written as RFC 8187 has it.
    static func attachment(_ name: String) -> String {
        let plain = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { $0.isASCII && $0 != "\"" && $0 != "\\" && $0.value >= 0x20 ? $0 : "_" }))
        let extended = plain == name ? "" : "; filename*=UTF-8''\(name.percentEncoded)"
        return "attachment; filename=\"\(plain)\"\(extended)"
    }
}
