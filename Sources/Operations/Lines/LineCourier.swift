import Access
import Audit
import Base
import Blobs
public import Logging
import NIOCore
public import ServiceLifecycle
import Storage

/// Carries releases along the release lines: what one tenant publishes arrives at the others, and what it withdraws is
/// withdrawn there.
public struct LineCourier: Service {
    /// The time between two rounds; a round with nothing to carry is one statement for all lines and one for each.
    private static let interval = Duration.seconds(10)

    private let operations: Operations
    private let logger: Logger

    /// The courier of these operations' lines.
    public init(_ operations: Operations, logger: Logger = Logger(label: "tidegate.lines")) {
        self.operations = operations
        self.logger = logger
    }

    /// Works until the server stops; what was half carried then is begun anew.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await operations.carryReleases()
                } catch {
                    if !Task.isCancelled {
                        logger.warning("release lines wait", metadata: ["error": "\(error)"])
                    }
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}

extension Operations {
    /// Carries what was published and withdrawn since the last round.
    func carryReleases() async throws {
        let lines = try await database.platform.read { [clock] transaction in
            try LineStore.carrying(triedBefore: clock.now - OperationLimits.linePatience, in: transaction)
        }
        var failure: (any Error)?
        for (line, isResting) in lines {
            try Task.checkCancellation()
            guard [line.owner, line.taker].allSatisfy({ access.directory.tenant($0)?.status == .active }) else {
                continue
            }
            // A line that fails holds up none behind it.
            do {
                if !isResting { try await carryPublished(on: line) }
                // What is withdrawn waits for nothing.
                try await carryWithdrawals(on: line)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func carryPublished(on line: ReleaseLine) async throws {
        for release in try await published(after: line.arrived, on: line) {
            do {
                try await arrive(release, by: line)
            } catch let refusal as Refusal {
                try await note(refusal, of: release, on: line)
                // What may pass is waited for: once a later release has arrived, an earlier one never does.
                if refusal.kind == .limited || refusal.kind == .unavailable { break }
            }
        }
    }

    private func published(after counter: Int64, on line: ReleaseLine) async throws -> [Release] {
        try await database.tenant(line.owner).read {
            try ReleaseStore.published(of: line.component, after: counter, in: $0)
        }
    }

    /// Brings a release with all its files, each of which is examined as if it were uploaded there.
    private func arrive(_ release: Release, by line: ReleaseLine) async throws {
        guard let accepter = line.accepter else { return }
        let name = "\(access.directory.tenant(line.owner)?.slug.text ?? "another tenant") (release line)"
        var artifacts: [ArtifactID] = []
        for artifact in release.artifacts {
            artifacts.append(try await bring(artifact, on: line, creator: accepter, named: name))
        }
        var sbom: ArtifactID?
        if let bill = release.sbom { sbom = try await bring(bill, on: line, creator: accepter, named: name) }
        guard let component = Name(release.component) else { return }
        let draft = ReleaseDraft(
            component: component, version: release.version, counter: release.counter, hardware: release.hardware,
            notes: release.notes, supportEnds: release.supportEnds, artifacts: artifacts, sbom: sbom)
        try await database.platform.write { transaction -> Void in
            // It may have been ended while its files were on their way.
            guard let now = try LineStore.find(line.id, of: line.taker, in: transaction), now.status == .accepted,
                now.arrived < release.counter
            else { return }
            let scoped = transaction.scoped(to: line.taker)
            let taken = try ReleaseStore.isTaken(
                release.component, version: release.version, counter: release.counter,
                but: ReleaseID(high: 0, low: 0), in: scoped)
            let last = try ReleaseStore.lastCounter(of: release.component, drafts: false, in: scoped)
            guard !taken.version, !taken.counter, last < release.counter else {
                throw Refusal(
                    .conflict, taken.version ? "release.versionTaken" : "release.counterTaken",
                    "\(release.component) has a release of its own here that is called \(release.version), or that is "
                        + "not below the counter \(release.counter).")
            }
            let id = ReleaseID(now: clock.now)
            try ReleaseStore.put(
                id, draft, counter: release.counter, creator: accepter, named: name, at: clock.now, in: scoped)
            try ReleaseStore.set(.published, id, at: clock.now, in: scoped)
            try LineStore.noteOrigin(of: id, line.id, source: release.id, in: scoped)
            try LineStore.advance(line, to: release.counter, in: transaction)
            try record(.releaseArrived, release, id, by: line, in: transaction)
        }
    }

    /// The taker's own copy of an artifact: one that is there, or the same bytes once more through all that an upload
    /// meets. Two tenants never share a file.
    private func bring(
        _ artifact: Artifact, on line: ReleaseLine, creator: PrincipalID, named name: String
    ) async throws -> ArtifactID {
        let there = try await database.tenant(line.taker).read { try ArtifactStore.find(sameAs: artifact, in: $0) }
        if let there { return there.id }
        guard let bytes = try await open(artifact, of: line.owner) else { throw Self.unknownArtifact }
        let draft = try ArtifactDraft(name: artifact.name, size: artifact.size, sha256: artifact.sha256)
        let upload = try await begin(draft, in: line.taker, creator: creator, named: name) { _ in }
        do {
            let stored = try await append(
                Content(operations: self, bytes: bytes), to: upload, at: 0, in: line.taker,
                as: .system("release line"))
            guard case .whole(let copy) = stored else { throw Self.unknownArtifact }
            return copy.id
        } catch {
            try? await giveUp(upload, in: line.taker)
            throw error
        }
    }

    /// Withdraws what the other side has withdrawn.
    private func carryWithdrawals(on line: ReleaseLine) async throws {
        let withdrawn = try await database.tenant(line.owner).read {
            try ReleaseStore.withdrawn(of: line.component, upTo: line.arrived, in: $0)
        }
        guard !withdrawn.isEmpty else { return }
        try await database.platform.write { transaction -> Void in
            let scoped = transaction.scoped(to: line.taker)
            for source in withdrawn {
                guard let id = try LineStore.arrival(of: source.id, by: line.id, in: scoped),
                    try ReleaseStore.find(id, in: scoped)?.state == .published
                else { continue }
                try ReleaseStore.set(.withdrawn, id, at: clock.now, in: scoped)
                try record(.releaseWithdrawn, source, id, by: line, in: transaction)
            }
        }
    }

    /// Remembers what is in the way of a release, for people of both sides to see; told in the log when it is new.
    private func note(_ refusal: Refusal, of release: Release, on line: ReleaseLine) async throws {
        let problem = "\(release.version): \(refusal.message)"
        try await database.platform.write { transaction -> Void in
            try LineStore.note(problem, of: line, at: clock.now, in: transaction)
            guard problem != line.problem else { return }
            try audit.record(
                AuditEntry(
                    .releaseRefused, tenant: line.taker, actor: .system("release line"),
                    object: AuditObject(kind: "releaseLine", id: line.id.text), outcome: .denied,
                    details: ["version": .string(release.version), "reason": .string(refusal.code)]),
                in: transaction)
        }
    }

    private func record(
        _ code: AuditCode, _ source: Release, _ id: ReleaseID, by line: ReleaseLine, in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: line.taker, actor: .system("release line"),
                object: AuditObject(kind: "release", id: id.text),
                details: [
                    "component": .string(source.component), "version": .string(source.version),
                    "counter": .integer(source.counter), "from": slug(line.owner),
                    "artifacts": .array(source.artifacts.map { .string($0.sha256.text) }),
                ]), in: transaction)
        transaction.afterCommit { [releases] in releases.drop(id, of: line.taker) }
    }
}

/// The bytes of an open artifact, piece by piece.
private struct Content: AsyncSequence {
    let operations: Operations
    let bytes: OpenBlob

    struct AsyncIterator: AsyncIteratorProtocol {
        let content: Content
        var offset: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            let piece = try await content.operations.read(content.bytes, at: offset)
            guard piece.readableBytes > 0 else { return nil }
            offset += Int64(piece.readableBytes)
            return piece
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(content: self) }
}
