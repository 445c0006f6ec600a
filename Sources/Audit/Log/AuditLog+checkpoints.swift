public import Base
import Storage

extension AuditLog {
    /// Signs a checkpoint for every log that has grown since its last one, and answers how many.
    @discardableResult
    public func checkpoint() async throws -> Int {
        let grown = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows("SELECT tenant FROM audit_head WHERE size > signed_size ORDER BY tenant")
                .map { try $0.identifier(0, as: TenantID.self) }
        }
        // The platform's log comes last, so that it holds the others' new checkpoints when it is signed itself.
        try await eachOnItsOwn(grown.filter { $0 != .platform } + [.platform]) { tenant in
            if tenant == .platform { try await sequence([.platform]) }
            try await checkpoint(tenant)
        }
        return grown.count
    }

    /// Places the pending entries of one tenant, signs for them, and enters the checkpoint in the platform's log.
    ///
    /// It is the last act before a tenant's keys are destroyed.
    public func conclude(_ tenant: TenantID) async throws {
        try await sequence([tenant])
        try await checkpoint(tenant, anchor: true)
    }

    func checkpoint(_ tenant: TenantID, anchor: Bool = false) async throws {
        let now = clock.now
        let (deployment, keyRing, interval) = (deployment, keyRing, settings.anchorInterval)
        let lines = try await database.platform.write { transaction -> [CheckpointFile.Line] in
            func isDue(_ head: LogHead) -> Bool {
                head.size > head.signedSize || (anchor && head.size > head.anchoredSize)
            }
            guard try LogHead.read(tenant, in: transaction).map(isDue) == true else { return [] }
            var head = try LogHead.claim(tenant, in: transaction)
            guard isDue(head) else { return [] }
            let signer: LogSigner
            let isNew: Bool
            do {
                (signer, isNew) = try LogSigner.load(
                    tenant, deployment: deployment, keyRing: keyRing, now: now, in: transaction)
            } catch let refusal as Refusal where Self.isWithoutKey(refusal) {
                // A removed tenant's log is concluded; what still comes (retention) stays after its last checkpoint.
                return []
            }
            let note = try signer.sign(size: head.size, root: head.frontier.root)
            try transaction.scoped(to: tenant).execute(
                """
                INSERT INTO audit_checkpoint (tenant, size, made_at, note) VALUES ($1, $2, $3, $4)
                ON CONFLICT (tenant, size) DO NOTHING
                """, head.size, now, note)
            try TreeTiles(of: tenant, in: transaction).writeIncomplete(size: head.size)
            head.signedSize = head.size
            if tenant != .platform, anchor || now - head.anchoredAt >= interval {
                head.anchoredSize = head.size
                head.anchoredAt = now
                try self.record(
                    Anchor(tenant: tenant, size: head.size, root: head.frontier.root).entry(at: now), in: transaction)
            }
            try head.write(tenant, in: transaction)
            var lines: [CheckpointFile.Line] = isNew ? [.key(tenant, signer.verifier)] : []
            lines.append(.checkpoint(tenant, madeAt: now, note: note))
            return lines
        }
        // After the commit: the file must never know more than a database that crashed here.
        try await checkpointFile?.append(lines)
    }
}

/// A tenant's checkpoint as the platform's log holds it, in the plain part, so that it can be checked without a key.
struct Anchor: Hashable, Sendable {
    var tenant: TenantID
    var size: Int64
    var root: TreeHash

    init(tenant: TenantID, size: Int64, root: TreeHash) {
        self.tenant = tenant
        self.size = size
        self.root = root
    }

    init?(_ leaf: AuditLeaf) {
        guard leaf.code == AuditCode.auditAnchored.text, leaf.object.kind == "checkpoint" else { return nil }
        let parts = leaf.object.id.split(separator: ":")
        guard parts.count == 3, let tenant = TenantID(text: parts[0]), let size = Int64(parts[1]),
            let root = [UInt8](hex: parts[2]).flatMap({ TreeHash($0) })
        else { return nil }
        self.init(tenant: tenant, size: size, root: root)
    }

    func entry(at time: Timestamp) -> AuditEntry {
        AuditEntry(
            .auditAnchored, tenant: .platform, actor: .system("audit"),
            object: AuditObject(kind: "checkpoint", id: "\(tenant.text):\(size):\(root)"), time: time)
    }
}
