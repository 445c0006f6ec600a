import Base
import Blobs
import NIOCore
import Trust

/// Looks into an artifact once all of it has come: what it is, and whether who made it is trusted.
struct ArtifactExamination: Sendable {
    /// An update key with the name that the tenant gave it.
    typealias NamedKey = (name: String, key: UpdateKey)

    let blobs: Blobs
    let keys: [NamedKey]
    let now: Timestamp

    /// What the bytes are and who signed them; refuses an update that is not signed for one of the tenant's keys, if it
    /// has any, and one whose files are others than it says.
    func examine(
        _ blob: OpenBlob, _ summary: BlobSummary, named name: String
    ) async throws -> (type: ArtifactType, signature: Artifact.Signature) {
        let type = ArtifactType(head: summary.head)
        // SWUpdate takes what is called so, and nothing else: no other content may get there under that name unsigned.
        if type != .swu, !keys.isEmpty, name.lowercased().utf8.suffix(4).elementsEqual(".swu".utf8) {
            throw Refusal(
                .invalid, "artifact.archive",
                "The file is called like an update of SWUpdate and is none: its first file is not "
                    + "\(Self.descriptionName).")
        }
        switch type {
        case .swu: return (type, try await update(blob))
        case .cycloneDX:
            // The beginning looked like one; it is one when all of it is.
            return (try await isBillOfMaterials(blob) ? .cycloneDX : .binary, .none)
        default: return (type, .none)
        }
    }

    private func isBillOfMaterials(_ blob: OpenBlob) async throws -> Bool {
        guard blob.size <= OperationLimits.billBytes else { return false }
        let bytes = try await bytes(of: blob, at: 0, count: Int(blob.size))
        let limits = JSONLimits(bytes: OperationLimits.billBytes, depth: OperationLimits.billDepth)
        guard let bill = try? JSONValue(parsing: bytes, limits: limits) else { return false }
        return bill["bomFormat"] == "CycloneDX" && bill["specVersion"]?.string != nil
    }

    // MARK: - SWUpdate's archives

    private func update(_ blob: OpenBlob) async throws -> Artifact.Signature {
        let archive: ArchiveWalk
        do {
            archive = try await walk(blob)
        } catch let fault as ArchiveWalk.Malformed {
            throw Refusal(
                .invalid, "artifact.archive",
                "The file begins like an update of SWUpdate but is no whole archive: something is wrong at byte "
                    + "\(fault.position).")
        }
        guard let first = archive.files.first, first.name == Self.descriptionName,
            first.size <= OperationLimits.descriptionBytes
        else {
            throw Refusal(
                .invalid, "artifact.archive",
                "The first file of an update must be \(Self.descriptionName), of at most "
                    + "\(OperationLimits.descriptionBytes) bytes; without it SWUpdate takes none.")
        }
        let text = try await bytes(of: blob, at: first.offset, count: Int(first.size))
        let signature = try await signature(of: text, blob, archive)
        try await checkContents(text, blob, archive)
        return signature
    }

    private static let descriptionName = "sw-description"

    private func walk(_ blob: OpenBlob) async throws -> ArchiveWalk {
        var walk = ArchiveWalk(size: blob.size)
        while !walk.isAtEnd {
            try walk.take(try await bytes(of: blob, at: walk.position, count: ArchiveWalk.headBytes))
        }
        return walk
    }

    /// Who signed the description: its signature is the second file, as SWUpdate demands it.
    private func signature(
        of description: [UInt8], _ blob: OpenBlob, _ archive: ArchiveWalk
    ) async throws -> Artifact.Signature {
        guard !keys.isEmpty else { return .unverified }
        guard archive.files.count > 1, archive.files[1].name == "\(Self.descriptionName).sig",
            archive.files[1].size <= OperationLimits.signatureBytes
        else {
            throw Refusal(
                .invalid, "artifact.signature",
                "The update is not signed: its second file is not \(Self.descriptionName).sig. This tenant takes only "
                    + "updates that are signed for one of its update keys.")
        }
        let file = archive.files[1]
        let signature = try await bytes(of: blob, at: file.offset, count: Int(file.size))
        guard let signer = keys.first(where: { $0.key.hasSigned(description, signature, at: now) }) else {
            throw Refusal(
                .invalid, "artifact.signature",
                "The update is signed, but for none of this tenant's update keys, or their certificate has ended. Sign "
                    + "it with `openssl cms -sign -outform DER -nosmimecap -binary`, or put the key that signed it among "
                    + "the update keys.")
        }
        return .verified(by: signer.name)
    }

    /// Compares the archive's files with the hashes that the description gives them. Where updates are signed, every
    /// file must have one: what is not hashed is not signed.
    private func checkContents(_ description: [UInt8], _ blob: OpenBlob, _ archive: ArchiveWalk) async throws {
        guard let described = SoftwareDescription(description) else { return }
        let files = Dictionary(archive.files.map { ($0.name, $0) }) { first, _ in first }
        var known: [String: [UInt8]] = [:]
        for wanted in described.files {
            let name = String(wanted.name.prefix(100))
            guard let file = files[wanted.name] else {
                throw Refusal(
                    .invalid, "artifact.contents", "\(Self.descriptionName) names \(name), which is not in the archive."
                )
            }
            guard let hash = wanted.sha256 else {
                if keys.isEmpty { continue }
                throw Refusal(
                    .invalid, "artifact.contents",
                    "\(Self.descriptionName) says no sha256 for \(name), so the signature says nothing about it; "
                        + "SWUpdate would refuse it too.")
            }
            let found: [UInt8]
            if let hashed = known[wanted.name] {
                found = hashed
            } else {
                found = try await blobs.digest(of: blob, from: file.offset, count: file.size).bytes
                known[wanted.name] = found
            }
            guard found == hash else {
                throw Refusal(
                    .invalid, "artifact.contents",
                    "The file \(name) in the archive has another SHA-256 than \(Self.descriptionName) says.")
            }
        }
    }

    private func bytes(of blob: OpenBlob, at offset: Int64, count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let part = try await blobs.read(blob, count - bytes.count, at: offset + Int64(bytes.count))
            if part.readableBytes == 0 { break }
            bytes += part.readableBytesView
        }
        return bytes
    }
}
