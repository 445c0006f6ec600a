public import Access
import Audit
public import Base
public import Blobs
public import NIOCore
import Storage

extension Operations {
    /// An artifact, or what has come of it.
    public func artifact(_ id: ArtifactID, in tenant: TenantID, by principal: Principal) async throws -> StoredArtifact
    {
        let found = try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .artifactRead, tenant: tenant, in: transaction)
            return try ArtifactStore.find(id, in: transaction)
        }
        guard let found else { throw Self.unknownArtifact }
        return try await stored(found, of: tenant)
    }

    /// The artifacts and uploads of a tenant before `last`, the newest first.
    public func artifacts(
        before last: ArtifactID? = nil, limit: Int, in tenant: TenantID, by principal: Principal
    ) async throws -> [StoredArtifact] {
        let found = try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .artifactRead, tenant: tenant, in: transaction)
            return try ArtifactStore.page(before: last, limit: limit, in: transaction)
        }
        var artifacts: [StoredArtifact] = []
        for one in found { artifacts.append(try await stored(one, of: tenant)) }
        return artifacts
    }

    /// Deletes an artifact that no release names, or gives an upload up.
    public func deleteArtifact(_ id: ArtifactID, in tenant: TenantID, by principal: Principal) async throws {
        let found = try await database.tenant(tenant).write { transaction in
            try access.authorize(principal, .artifactManage, tenant: tenant, in: transaction)
            guard let found = try ArtifactStore.find(id, in: transaction) else { throw Self.unknownArtifact }
            guard try !ArtifactStore.isUsed(id, in: transaction) else {
                throw Refusal(.conflict, "artifact.used", "A release has this artifact; delete the release first.")
            }
            try ArtifactStore.delete(id, in: transaction)
            if case .whole(let artifact) = found {
                try record(.artifactDeleted, artifact, of: tenant, by: principal.actor(in: tenant), in: transaction)
            }
            return found
        }
        // A blob may have been named by others meanwhile: upkeep removes it when nothing names it.
        if case .uploading(let upload) = found { try await blobs.abandon(upload.upload, of: tenant) }
    }

    /// The bytes of an artifact, for a caller who may read them.
    public func content(
        of id: ArtifactID, in tenant: TenantID, by principal: Principal
    ) async throws -> (artifact: Artifact, bytes: OpenBlob) {
        guard case .whole(let artifact) = try await artifact(id, in: tenant, by: principal),
            let bytes = try await open(artifact, of: tenant)
        else { throw Self.unknownArtifact }
        return (artifact, bytes)
    }

    /// The bytes of an artifact; nil when they are gone.
    public func open(_ artifact: Artifact, of tenant: TenantID) async throws -> OpenBlob? {
        try await blobs.blob(artifact.sha256, of: tenant)
    }

    /// Bytes of an open artifact from `offset` on, as many as are read at once; none at its end.
    public func read(_ bytes: OpenBlob, at offset: Int64) async throws -> ByteBuffer {
        try await blobs.read(bytes, OperationLimits.uploadPartBytes, at: offset)
    }

    static let unknownArtifact = Refusal(
        .notFound, "artifact.unknown", "There is no such artifact, or it is not for you.")

    private func stored(_ found: ArtifactStore.Stored, of tenant: TenantID) async throws -> StoredArtifact {
        switch found {
        case .whole(let artifact): .whole(artifact)
        case .uploading(let upload):
            .uploading(upload, received: try await received(upload, of: tenant) ?? 0)
        }
    }

    func record(
        _ code: AuditCode, _ artifact: Artifact, of tenant: TenantID, by actor: Actor, in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: actor, object: AuditObject(kind: "artifact", id: artifact.id.text),
                details: [
                    "name": .string(artifact.name), "type": .string(artifact.type.rawValue),
                    "size": .integer(artifact.size), "sha256": .string(artifact.sha256.text),
                    "signature": .string(artifact.signature.name),
                    "key": artifact.signature.key.map { .string($0) } ?? .null,
                ]),
            in: transaction)
    }
}
