public import Access
import Audit
public import Base
import Blobs
public import NIOCore
import Storage
import Trust

extension Operations {
    /// Begins to take a file.
    public func begin(
        _ draft: ArtifactDraft, in tenant: TenantID, by principal: Principal
    ) async throws -> ArtifactUpload {
        try await begin(draft, in: tenant, creator: principal.id, named: principal.name) { transaction in
            try access.authorize(principal, .artifactManage, tenant: tenant, in: transaction)
        }
    }

    /// Begins to take a file in the name of somebody whose right to it `authorize` asks.
    func begin(
        _ draft: ArtifactDraft, in tenant: TenantID, creator: PrincipalID, named creatorName: String,
        _ authorize: @escaping @Sendable (Transaction) throws -> Void
    ) async throws -> ArtifactUpload {
        let now = clock.now
        let upload = ArtifactUpload(
            id: ArtifactID(now: now), name: draft.name, size: draft.size, expected: draft.sha256,
            creatorName: creatorName, created: now, touched: now, found: nil)
        let quota = Int64(access.directory.plan(of: tenant)?.artifactMegabytes ?? 0) << 20
        try await database.tenant(tenant).write { transaction in
            try authorize(transaction)
            let use = try ArtifactStore.use(in: transaction)
            guard use.artifacts < OperationLimits.artifacts, use.uploads < OperationLimits.uploads else {
                throw Refusal(
                    .limited, "artifact.tooMany",
                    "A tenant has at most \(OperationLimits.artifacts) artifacts and \(OperationLimits.uploads) uploads "
                        + "under way; delete some first.")
            }
            guard upload.size <= quota - use.bytes else {
                throw Refusal(
                    .limited, "artifact.quota",
                    "The tenant's plan allows \(quota >> 20) MiB of artifacts, and \(use.bytes >> 20) MiB are there or on "
                        + "their way; delete some first.")
            }
            try ArtifactStore.begin(upload, creator: creator, in: transaction)
        }
        do {
            try await blobs.begin(upload.upload, of: tenant)
        } catch {
            try await forget(upload.id, in: tenant)
            throw Self.explained(error)
        }
        return upload
    }

    /// An upload under way, for a caller who may continue it.
    public func upload(_ id: ArtifactID, in tenant: TenantID, by principal: Principal) async throws -> ArtifactUpload {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .artifactManage, tenant: tenant, in: transaction)
            switch try ArtifactStore.find(id, in: transaction) {
            case .uploading(let upload): return upload
            case .whole: throw Refusal(.conflict, "artifact.whole", "The artifact is whole and never changes.")
            case nil: throw Self.unknownArtifact
            }
        }
    }

    /// Takes bytes of an upload from `offset` on, which must be where it stands; when they are its last ones, it becomes
    /// an artifact before this returns, or is refused and gone.
    ///
    /// What has come stays when the sender is cut off. At most ``OperationLimits/uploadPartBytes`` of it are in memory:
    /// nothing is taken from `bytes` before there is room.
    public func append(
        _ bytes: some AsyncSequence<ByteBuffer, any Error>, to upload: ArtifactUpload, at offset: Int64,
        in tenant: TenantID, by principal: Principal
    ) async throws -> StoredArtifact {
        try await append(bytes, to: upload, at: offset, in: tenant, as: principal.actor(in: tenant))
    }

    /// The same, whoever it is that the log shall name.
    func append(
        _ bytes: some AsyncSequence<ByteBuffer, any Error>, to upload: ArtifactUpload, at offset: Int64,
        in tenant: TenantID, as actor: Actor
    ) async throws -> StoredArtifact {
        guard let stands = try await received(upload, of: tenant) else { throw Self.unknownArtifact }
        guard stands == offset else { throw Self.elsewhere(stands) }
        if let artifact = try await finishNamed(upload, in: tenant, by: actor) {
            return .whole(artifact)
        }
        var place = offset
        do {
            var part = ByteBuffer()
            do {
                for try await piece in bytes {
                    guard Int64(part.readableBytes + piece.readableBytes) <= upload.size - place else {
                        throw Refusal(
                            .tooLarge, "artifact.tooMuch",
                            "More bytes came than the \(upload.size) that were announced.")
                    }
                    part.writeImmutableBuffer(piece)
                    guard part.readableBytes >= OperationLimits.uploadPartBytes else { continue }
                    try await blobs.append(part, to: upload.upload, at: place, of: tenant)
                    place += Int64(part.readableBytes)
                    part.clear()
                }
            } catch let error where !(error is BlobError) {
                // What came before the cut is kept, so that the sender need not send it again.
                if part.readableBytes > 0 { try await blobs.append(part, to: upload.upload, at: place, of: tenant) }
                try await blobs.synchronise(upload.upload, of: tenant)
                try await touch(upload.id, in: tenant)
                throw error
            }
            if part.readableBytes > 0 { try await blobs.append(part, to: upload.upload, at: place, of: tenant) }
            place += Int64(part.readableBytes)
            try await blobs.synchronise(upload.upload, of: tenant)
            guard place == upload.size else {
                try await touch(upload.id, in: tenant)
                return .uploading(upload, received: place)
            }
            return .whole(try await finish(upload, in: tenant, by: actor))
        } catch {
            throw Self.explained(error)
        }
    }

    /// Finishes uploads whose last byte has come but whose end the server did not live to see, and removes those for
    /// which nothing came for a day, and blobs that nothing names any more.
    public func tidyArtifacts() async throws {
        let tenants = Set(try await blobs.tenants()).union(try await tenantsWithUploads())
        for tenant in tenants.sorted() { try await tidyArtifacts(of: tenant) }
    }

    func tidyArtifacts(
        of tenant: TenantID, age: Duration = OperationLimits.unnamedBlobAge,
        grace: Duration = OperationLimits.unnamedBlobGrace
    ) async throws {
        let (open, named) = try await database.tenant(tenant).read { transaction in
            var (open, named): ([ArtifactUpload], Set<BlobDigest>) = ([], [])
            try transaction.forEach("SELECT \(ArtifactStore.columns) FROM artifact a WHERE a.tenant = $1") { row in
                switch try ArtifactStore.read(row) {
                case .uploading(let upload):
                    open.append(upload)
                    if let found = upload.found { named.insert(found) }
                case .whole(let artifact): named.insert(artifact.sha256)
                }
            }
            return (open, named)
        }
        let limit = clock.now - OperationLimits.uploadLife
        for upload in open {
            let isOver = upload.touched <= clock.now - OperationLimits.finishingPatience
            if isOver, try await received(upload, of: tenant) == upload.size {
                // Refused is over as well; busy is somebody else's, and is looked at again.
                if try await finishNamed(upload, in: tenant, by: .system("upkeep")) == nil {
                    _ = try? await finish(upload, in: tenant, by: .system("upkeep"))
                }
            } else if upload.touched <= limit {
                try await giveUp(upload, in: tenant)
            }
        }
        _ = try await blobs.removeUploads(of: tenant, except: Set(open.map(\.upload)), olderThan: age)
        _ = try await blobs.removeBlobs(of: tenant, except: named, unnamedFor: age, grace: grace)
    }

    // MARK: - Steps

    /// Makes an artifact of an upload of which all bytes have come. What is not what it should be is refused, recorded,
    /// and gone: no further byte could mend it.
    private func finish(_ upload: ArtifactUpload, in tenant: TenantID, by actor: Actor) async throws -> Artifact {
        let (keys, now) = (try await updateKeys(of: tenant), clock.now)
        let examination = ArtifactExamination(blobs: blobs, keys: keys, now: now)
        do {
            _ = try await blobs.finish(upload.upload, of: tenant) { [database] summary, blob in
                if let expected = upload.expected, expected != summary.digest {
                    throw Refusal(
                        .invalid, "artifact.checksum",
                        "The file came with the SHA-256 \(summary.digest.text), but \(expected.text) was announced.")
                }
                let (type, signature) = try await examination.examine(blob, summary, named: upload.name)
                let artifact = Artifact(
                    id: upload.id, name: upload.name, type: type, size: summary.size, sha256: summary.digest,
                    sha1: summary.sha1, md5: summary.md5, signature: signature, created: now)
                // Written before the bytes get their name, so that they are found again when the server, or its
                // database, does not live to see that they have it.
                guard try await database.tenant(tenant).write({ try ArtifactStore.found(artifact, in: $0) }) else {
                    throw GivenUp()
                }
            }
        } catch is GivenUp {
            throw Self.unknownArtifact
        } catch let refusal as Refusal {
            try await refuse(upload, refusal, in: tenant, by: actor)
            throw refusal
        }
        return try await settle(upload, in: tenant, by: actor)
    }

    /// How many bytes of an upload have come; all of them when they are a blob already.
    func received(_ upload: ArtifactUpload, of tenant: TenantID) async throws -> Int64? {
        if let received = try await blobs.received(upload.upload, of: tenant) { return received }
        guard let found = upload.found, try await blobs.blob(found, of: tenant) != nil else { return nil }
        return upload.size
    }

    /// Makes an artifact of an upload whose bytes are a blob already; nil when they are not.
    private func finishNamed(
        _ upload: ArtifactUpload, in tenant: TenantID, by actor: Actor
    ) async throws -> Artifact? {
        guard upload.found != nil, try await blobs.received(upload.upload, of: tenant) == nil else { return nil }
        return try await settle(upload, in: tenant, by: actor)
    }

    /// Writes down that an upload whose bytes are a blob is an artifact.
    private func settle(_ upload: ArtifactUpload, in tenant: TenantID, by actor: Actor) async throws -> Artifact {
        try await database.tenant(tenant).write { [clock] transaction in
            guard let artifact = try ArtifactStore.finish(upload.id, at: clock.now, in: transaction) else {
                throw Self.unknownArtifact
            }
            try record(.artifactUploaded, artifact, of: tenant, by: actor, in: transaction)
            return artifact
        }
    }

    private func refuse(
        _ upload: ArtifactUpload, _ refusal: Refusal, in tenant: TenantID, by actor: Actor
    ) async throws {
        try await blobs.abandon(upload.upload, of: tenant)
        try await database.tenant(tenant).write { transaction in
            try ArtifactStore.delete(upload.id, in: transaction)
            try audit.record(
                AuditEntry(
                    .artifactRefused, tenant: tenant, actor: actor,
                    object: AuditObject(kind: "artifact", id: upload.id.text), outcome: .denied,
                    details: ["name": .string(upload.name), "reason": .string(refusal.code)]),
                in: transaction)
        }
    }

    func giveUp(_ upload: ArtifactUpload, in tenant: TenantID) async throws {
        try await blobs.abandon(upload.upload, of: tenant)
        try await forget(upload.id, in: tenant)
    }

    private func forget(_ id: ArtifactID, in tenant: TenantID) async throws {
        try await database.tenant(tenant).write { try ArtifactStore.delete(id, in: $0) }
    }

    private func touch(_ id: ArtifactID, in tenant: TenantID) async throws {
        let now = clock.now
        try await database.tenant(tenant).write { try ArtifactStore.touch(id, at: now, in: $0) }
    }

    private func tenantsWithUploads() async throws -> [TenantID] {
        try await database.platform.read { transaction in
            try transaction.acrossTenants.rows("SELECT DISTINCT tenant FROM artifact WHERE finished IS NULL").map {
                try $0.identifier(0)
            }
        }
    }

    static func elsewhere(_ stands: Int64?) -> Refusal {
        Refusal(
            .conflict, "artifact.offset",
            stands.map { "The upload stands at byte \($0); go on from there." }
                ?? "The upload stands elsewhere; ask where, and go on from there.")
    }

    /// What a sender is told when the disk says no.
    private static func explained(_ error: any Error) -> any Error {
        guard let error = error as? BlobError else { return error }
        if error.isElsewhere { return elsewhere(nil) }
        if error.isGone { return unknownArtifact }
        if error.isBusy {
            return Refusal(
                .conflict, "artifact.busy", "Another is sending this upload at this moment. Ask where it stands soon.",
                retryAfter: .seconds(1))
        }
        return Refusal(
            .unavailable, error.isFull ? "artifact.diskFull" : "artifact.disk",
            error.isFull
                ? "The server's disk is full. What has come is kept; go on when there is room."
                : "The server can not keep the file now. What has come is kept; try again soon.",
            detail: error.description, retryAfter: .seconds(60))
    }
}

extension ArtifactUpload {
    /// The upload among the blobs.
    var upload: UploadID { UploadID(high: id.high, low: id.low) }
}

/// An upload was given up while it was being finished.
private struct GivenUp: Error {}
