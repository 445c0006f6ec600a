import Access
import Base
import Blobs
import Storage

/// Artifacts between their table and memory; every call runs in a tenant's transaction.
enum ArtifactStore {
    /// A row of the table.
    enum Stored: Sendable {
        case uploading(ArtifactUpload)
        case whole(Artifact)
    }

    static let columns =
        "a.id, a.name, a.size, a.expected, a.creator_name, a.created, a.touched, a.finished, a.type, a.sha256, a.sha1, a.md5, a.signature, a.signer"

    static func begin(_ upload: ArtifactUpload, creator: PrincipalID, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO artifact (tenant, id, name, size, expected, creator, creator_name, created, touched)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """, upload.id, upload.name, upload.size, upload.expected?.bytes, creator, upload.creatorName,
            upload.created, upload.touched)
    }

    static func touch(_ id: ArtifactID, at now: Timestamp, in transaction: Transaction) throws {
        try transaction.execute("UPDATE artifact SET touched = $3 WHERE tenant = $1 AND id = $2", id, now)
    }

    /// Writes what was found out about an upload's bytes, before they become a blob; false when it was given up meanwhile.
    static func found(_ artifact: Artifact, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE artifact SET touched = $3, type = $4, sha256 = $5, sha1 = $6, md5 = $7, signature = $8, signer = $9
            WHERE tenant = $1 AND id = $2 AND finished IS NULL
            """, artifact.id, artifact.created, artifact.type.rawValue, artifact.sha256.bytes, artifact.sha1,
            artifact.md5, artifact.signature.name, artifact.signature.key) > 0
    }

    /// Writes that an upload whose bytes are a blob is a whole artifact; nil when it was given up meanwhile.
    static func finish(_ id: ArtifactID, at now: Timestamp, in transaction: Transaction) throws -> Artifact? {
        try transaction.execute(
            """
            UPDATE artifact SET finished = $3
            WHERE tenant = $1 AND id = $2 AND finished IS NULL AND sha256 IS NOT NULL
            """, id, now)
        guard case .whole(let artifact)? = try find(id, in: transaction) else { return nil }
        return artifact
    }

    static func find(_ id: ArtifactID, in transaction: Transaction) throws -> Stored? {
        try transaction.row("SELECT \(columns) FROM artifact a WHERE a.tenant = $1 AND a.id = $2", id).map(read)
    }

    /// A whole artifact with the same name and bytes, of which at least as much is known.
    static func find(sameAs other: Artifact, in transaction: Transaction) throws -> Artifact? {
        let rows = try transaction.rows(
            """
            SELECT \(columns) FROM artifact a
            WHERE a.tenant = $1 AND a.name = $2 AND a.sha256 = $3 AND a.signature <> 'unverified'
            """, other.name, other.sha256.bytes)
        for row in rows { if case .whole(let artifact) = try read(row) { return artifact } }
        return nil
    }

    /// The next ones from the newest on.
    static func page(before: ArtifactID?, limit: Int, in transaction: Transaction) throws -> [Stored] {
        let last = before ?? ArtifactID(high: .max, low: .max)
        return try transaction.rows(
            """
            SELECT \(columns) FROM artifact a WHERE a.tenant = $1 AND a.id < $2 ORDER BY a.id DESC LIMIT $3
            """, last, limit
        ).map(read)
    }

    /// Bytes of all artifacts, those on their way included, and how many these and those are.
    static func use(in transaction: Transaction) throws -> (bytes: Int64, artifacts: Int, uploads: Int) {
        let row = try transaction.row(
            """
            SELECT CAST(COALESCE(sum(size), 0) AS BIGINT), count(*), count(*) - count(finished)
            FROM artifact WHERE tenant = $1
            """)
        guard let row else { return (0, 0, 0) }
        return (try row.integer(0), try row.int(1), try row.int(2))
    }

    static func delete(_ id: ArtifactID, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM artifact WHERE tenant = $1 AND id = $2", id)
    }

    static func isUsed(_ id: ArtifactID, in transaction: Transaction) throws -> Bool {
        if try transaction.row("SELECT 1 FROM release_artifact WHERE tenant = $1 AND artifact = $2 LIMIT 1", id) != nil
        {
            return true
        }
        return try transaction.row("SELECT 1 FROM release WHERE tenant = $1 AND sbom = $2 LIMIT 1", id) != nil
    }

    static func read(_ row: Row) throws -> Stored {
        guard let finished = try row.timestampIfAny(7) else {
            return .uploading(
                ArtifactUpload(
                    id: try row.identifier(0), name: try row.text(1), size: try row.integer(2),
                    expected: try row.blobIfAny(3).flatMap { BlobDigest(bytes: $0) }, creatorName: try row.text(4),
                    created: try row.timestamp(5), touched: try row.timestamp(6),
                    found: try row.blobIfAny(9).flatMap { BlobDigest(bytes: $0) }))
        }
        guard let type = ArtifactType(rawValue: try row.text(8)), let digest = BlobDigest(bytes: try row.blob(9)) else {
            throw StorageError(.corrupt, "an artifact's row is not readable")
        }
        let signature: Artifact.Signature
        switch (try row.text(12), try row.textIfAny(13)) {
        case ("verified", let key?): signature = .verified(by: key)
        case ("unverified", _): signature = .unverified
        default: signature = .none
        }
        return .whole(
            Artifact(
                id: try row.identifier(0), name: try row.text(1), type: type, size: try row.integer(2), sha256: digest,
                sha1: try row.blob(10), md5: try row.blob(11), signature: signature, created: finished))
    }
}
