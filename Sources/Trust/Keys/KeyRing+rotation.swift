public import Base
public import Storage

/// What one step of a rotation did, and what is left.
public struct RotationProgress: Sendable, Hashable {
    /// Values sealed again by the new key.
    public var resealed = 0
    /// Tenant keys wrapped again by the new root key.
    public var rewrapped = 0
    /// Retired tenant keys destroyed.
    public var destroyed = 0
    /// Tenant keys that are retired, or wrapped by an old root key, after this step.
    public var remaining = 0
    /// Retired tenant keys among them that only wait: for values that can not be sealed again to be pruned, or for
    /// the time in which another node may still use the key.
    public var waiting = 0

    /// True when there was nothing to do and nothing but waiting is left.
    public var isIdle: Bool { resealed == 0 && rewrapped == 0 && destroyed == 0 && remaining == waiting }
    /// True when no old key is left at all.
    public var isFinished: Bool { remaining == 0 }
}

extension KeyRing {
    /// Gives a tenant a new key: it seals from the commit of this transaction on, and the present one is retired.
    public func rotateTenantKey(_ tenant: TenantID, in transaction: Transaction) throws {
        let scoped = transaction.scoped(to: tenant)
        let newest = try scoped.row("SELECT max(version) FROM tenant_key WHERE tenant = $1")
        guard let newest, !newest.isNull(0) else {
            throw Refusal(.notFound, "trust.tenantKeyMissing", "The tenant has no key to rotate.")
        }
        try scoped.execute(
            "UPDATE tenant_key SET retired_at = $2 WHERE tenant = $1 AND retired_at IS NULL", clock.now)
        try addTenantKey(tenant, version: newest.keyVersion(0) + 1, in: transaction)
    }

    /// Gives every tenant a new key, in one transaction each; how many tenants there are.
    @discardableResult
    public func rotateTenantKeys(in database: Database) async throws -> Int {
        let tenants = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows("SELECT DISTINCT tenant FROM tenant_key ORDER BY tenant")
                .map { try $0.identifier(0, as: TenantID.self) }
        }
        for tenant in tenants {
            try await database.tenant(tenant).write { try self.rotateTenantKey(tenant, in: $0) }
        }
        return tenants.count
    }

    /// Does one small part of the work that rotations left, in transactions of at most `rows` values each.
    ///
    /// Call it again until the progress is finished or idle. All state is in the database and the key files, so a
    /// restart goes on where it stopped.
    public func rotationStep(in database: Database, rows: Int = 200) async throws -> RotationProgress {
        var progress = RotationProgress()
        for old in try await oldKeys(in: database) {
            if old.rootVersion != rootVersion.current {
                let rewrapped = try await database.tenant(old.tenant).write { transaction in
                    try self.rewrapTenantKey(old.tenant, version: old.version, in: transaction)
                }
                progress.rewrapped += rewrapped ? 1 : 0
            }
            guard let retiredAt = old.retiredAt else { continue }
            guard progress.resealed < rows else {
                progress.remaining += 1
                continue
            }
            let limit = rows - progress.resealed
            let outcome = try await database.tenant(old.tenant).write { transaction in
                try self.retire(old.tenant, version: old.version, since: retiredAt, limit: limit, in: transaction)
            }
            progress.resealed += outcome.resealed
            switch outcome.key {
            case .destroyed: progress.destroyed += 1
            case .waiting:
                progress.remaining += 1
                progress.waiting += 1
            case .inUse: progress.remaining += 1
            }
        }
        if rootVersion.hasOlder {
            // Asked again, in the engine's own order: a tenant made meanwhile may have used the older root key.
            let isUsed = try await oldKeys(in: database).contains { $0.rootVersion != rootVersion.current }
            if isUsed { progress.remaining += 1 } else { try dropOldRootKeys() }
        }
        return progress
    }

    private struct OldKey: Sendable {
        let tenant: TenantID
        let version: UInt32
        let rootVersion: UInt32
        let retiredAt: Timestamp?
    }

    private enum Retirement: Sendable { case destroyed, waiting, inUse }

    private func oldKeys(in database: Database) async throws -> [OldKey] {
        let current = rootVersion.current
        return try await database.platform.read { transaction in
            try transaction.acrossTenants.rows(
                """
                SELECT tenant, version, root_version, retired_at FROM tenant_key
                WHERE retired_at IS NOT NULL OR root_version <> $1 ORDER BY tenant, version
                """, current
            ).map { row in
                OldKey(
                    tenant: try row.identifier(0), version: try row.keyVersion(1),
                    rootVersion: try row.keyVersion(2), retiredAt: try row.timestampIfAny(3))
            }
        }
    }

    private func retire(
        _ tenant: TenantID, version: UInt32, since retiredAt: Timestamp, limit: Int, in transaction: Transaction
    ) throws -> (resealed: Int, key: Retirement) {
        // Another process may have rotated: what this one remembers as current may be the key that is to go.
        forget(tenant)
        var resealed = 0
        for column in columns where column.rotation == .resealed {
            guard resealed < limit else { return (resealed, .inUse) }
            resealed += try column.reseal(
                tenant: tenant, olderThan: version + 1, limit: limit - resealed, with: self, in: transaction)
        }
        guard resealed < limit else { return (resealed, .inUse) }
        let isKept = try columns.contains { column in
            try column.rotation == .kept && column.holdsValues(olderThan: version + 1, in: transaction)
        }
        guard !isKept, clock.now - retiredAt >= grace else { return (resealed, .waiting) }
        unsettle(tenant, until: transaction)
        try transaction.execute("DELETE FROM tenant_key WHERE tenant = $1 AND version = $2", version)
        return (resealed, .destroyed)
    }
}
