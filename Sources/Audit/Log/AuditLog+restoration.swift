public import Base
import Logging
import Storage
import Trust

extension AuditLog {
    /// What declaring a restoration has found in one log.
    public struct DeclaredRestoration: Sendable, Hashable {
        /// The log's tenant.
        public let tenant: TenantID
        /// How many entries the backup held, which the log now goes on from.
        public let kept: Int64
        /// The most entries that a checkpoint of before knows of, when it is more than the backup held.
        public let known: Int64?
        /// When that checkpoint was made, as far as it is said.
        public let knownAt: Timestamp?
    }

    /// Declares in every log that the database was put back from `backup`: enters what `entry` gives for each tenant,
    /// and signs a checkpoint that says so with the log's key and with a new one that takes its place.
    ///
    /// `known` are checkpoints of before that survived elsewhere; the newest go into the checkpoint file, so that the
    /// evidence stays beside the log. Nothing else may use the database meanwhile. A removed tenant's log, whose key is
    /// gone, stays as it is.
    public func declareRestoration(
        of backup: String, known: KnownCheckpoints = KnownCheckpoints(), _ entry: (TenantID) -> AuditEntry
    ) async throws -> [DeclaredRestoration] {
        // As a writer, because SQLite leaves a write-ahead log behind when a reader closes last, and a restored
        // database is to be one file.
        let tenants = try await database.platform.write { transaction in
            try transaction.acrossTenants.rows("SELECT tenant FROM audit_head UNION SELECT tenant FROM audit_pending")
                .map { try $0.identifier(0, as: TenantID.self) }
        }
        var declared: [DeclaredRestoration] = []
        // The platform's log comes last, as with every round of checkpoints.
        for tenant in tenants.filter({ $0 != .platform }).sorted() + [.platform] {
            do {
                declared.append(try await declareRestoration(of: backup, entry(tenant), known))
            } catch let refusal as Refusal where Self.isWithoutKey(refusal) {
                logger.info("the log of a removed tenant stays as it is", metadata: ["tenant": "\(tenant)"])
            }
        }
        return declared
    }

    /// Whether a tenant's key is gone, because the tenant is.
    static func isWithoutKey(_ refusal: Refusal) -> Bool {
        refusal.code == "trust.tenantKeyMissing" || refusal.code == "trust.sealBroken"
    }

    private func declareRestoration(
        of backup: String, _ entry: AuditEntry, _ known: KnownCheckpoints
    ) async throws -> DeclaredRestoration {
        let (tenant, now) = (entry.tenant, clock.now)
        let (deployment, keyRing) = (deployment, keyRing)
        let (declared, lines) = try await database.platform.write { transaction in
            let kept = try LogHead.read(tenant, in: transaction)?.size ?? 0
            // What waited in the backup has its place only from now on: the lost server may have ordered it otherwise.
            try self.placeAll(of: tenant, in: transaction)
            try self.record(entry, in: transaction)
            try self.placeAll(of: tenant, in: transaction)
            let trusted = try LogSigner.verifiers(of: tenant, in: transaction)
            let (former, signer) = try LogSigner.replace(
                tenant, deployment: deployment, keyRing: keyRing, now: now, in: transaction)
            var head = try LogHead.claim(tenant, in: transaction)
            let note = try signer.sign(
                size: head.size, root: head.frontier.root, backup: backup, at: now, kept: kept, after: former)
            try transaction.scoped(to: tenant).execute(
                "INSERT INTO audit_checkpoint (tenant, size, made_at, note) VALUES ($1, $2, $3, $4)",
                head.size, now, note)
            try TreeTiles(of: tenant, in: transaction).writeIncomplete(size: head.size)
            head.signedSize = head.size
            try head.write(tenant, in: transaction)
            let evidence = known.evidence(of: tenant, trusted: trusted)
            let newest = evidence.newest.flatMap { $0.size > kept ? $0 : nil }
            let declared = DeclaredRestoration(
                tenant: tenant, kept: kept, known: newest?.size, knownAt: newest?.time)
            return (
                declared,
                trusted.map { .key(tenant, $0) } + evidence.lines + [
                    .key(tenant, signer.verifier), .checkpoint(tenant, madeAt: now, note: note),
                ]
            )
        }
        try await checkpointFile?.append(lines)
        return declared
    }

    private func placeAll(of tenant: TenantID, in transaction: Transaction) throws {
        while try Sequencer.move(tenant, limit: Limits.batchEntries, in: transaction) > 0 {}
    }
}
