import Access
public import Base
import Storage
import Trust

/// The keys with which tenants' messages to devices are signed: made at the first message, sealed by the key ring.
extension Operations {
    /// The public halves of a tenant's keys (RFC 7517), the present one first, and what each replaced key said of the one
    /// after it, the oldest first: by that a device that knows one of them knows all that came later.
    public func maintenanceKeys(of tenant: TenantID) async throws -> JSONValue {
        @Sendable func keys(_ transaction: Transaction) throws -> [JSONValue] {
            try transaction.rows(
                """
                SELECT public_key FROM maintenance_key WHERE tenant = $1
                ORDER BY CASE WHEN retired IS NULL THEN 0 ELSE 1 END, retired DESC, made DESC, id
                """
            ).map { MaintenanceSigner.publicKey(try $0.blob(0)) }
        }
        let handle = database.tenant(tenant)
        var found = try await handle.read(keys)
        if found.isEmpty {
            found = try await handle.write { transaction in
                _ = try signer(of: tenant, transaction)
                return try keys(transaction)
            }
        }
        let vouchers = try await handle.read { transaction in
            try transaction.rows("SELECT text FROM maintenance_voucher WHERE tenant = $1 ORDER BY number").map {
                JSONValue.string(try $0.text(0))
            }
        }
        return vouchers.isEmpty ? ["keys": .array(found)] : ["keys": .array(found), "vouchers": .array(vouchers)]
    }

    /// Gives a tenant a new key if it has one. The present one signs nothing more, and counts until what it signed has
    /// expired.
    public func rotateMaintenanceKey(of tenant: TenantID) async throws {
        let now = clock.now
        try await database.tenant(tenant).write { transaction in
            let reserved = try reserved(transaction)
            // One that can not be read any more can be replaced, and vouches for nothing.
            let former = try? presentKey(of: tenant, transaction)
            let retired = try transaction.execute(
                "UPDATE maintenance_key SET retired = $2, private_key = NULL WHERE tenant = $1 AND retired IS NULL",
                now)
            guard retired > 0 else { return }
            let fresh = try makeKey(of: tenant, reserved: reserved, transaction)
            if let former { try vouch(for: fresh, by: former, transaction) }
        }
    }

    private func vouch(
        for key: MaintenanceSigner, by former: MaintenanceSigner, _ transaction: Transaction
    ) throws {
        let last =
            try transaction.row("SELECT max(number) FROM maintenance_voucher WHERE tenant = $1")?.integerIfAny(0) ?? 0
        let text = try former.sign(
            ["keys": [MaintenanceSigner.publicKey(key.publicBytes)]], type: "tidegate-keys+jws")
        try transaction.execute(
            "INSERT INTO maintenance_voucher (tenant, number, text) VALUES ($1, $2, $3)", last + 1, text)
        try transaction.execute(
            "DELETE FROM maintenance_voucher WHERE tenant = $1 AND number <= $2", last + 1 - OperationLimits.vouchers)
    }

    /// Removes the keys whose messages have all expired.
    func trimMaintenanceKeys() async throws {
        let cutoff = clock.now - OperationLimits.envelopeLife - OperationLimits.reservedTime
        try await database.platform.write { transaction -> Void in
            try transaction.acrossTenants.execute("DELETE FROM maintenance_key WHERE retired < $1", cutoff)
        }
    }

    /// The tenant's present key and so many sequence numbers for it, the first of which is returned.
    func signing(_ count: Int, of tenant: TenantID) async throws -> (signer: MaintenanceSigner, first: Int64) {
        let handle = database.tenant(tenant)
        if let first = sequences.take(count, of: tenant, at: clock.now),
            let signer = try await handle.read({ try presentKey(of: tenant, $0) })
        {
            return (signer, first)
        }
        let now = clock.now
        let (signer, start) = try await handle.write { transaction -> (MaintenanceSigner, Int64) in
            let signer = try self.signer(of: tenant, transaction)
            let start = max(now.microseconds, try reserved(transaction))
            try transaction.execute(
                "UPDATE maintenance_key SET reserved = $3 WHERE tenant = $1 AND id = $2", signer.id,
                start + OperationLimits.reservedTime.microseconds)
            return (signer, start)
        }
        sequences.reserve(start, to: start + OperationLimits.reservedTime.microseconds, of: tenant)
        guard let first = sequences.take(count, of: tenant, at: now) else {
            throw Refusal(.unavailable, "maintenance.sequence", "The server can not number its messages now.")
        }
        return (signer, first)
    }

    /// The time up to which numbers may have been used.
    private func reserved(_ transaction: Transaction) throws -> Int64 {
        try transaction.row("SELECT max(reserved) FROM maintenance_key WHERE tenant = $1")?.integerIfAny(0) ?? 0
    }

    private func signer(of tenant: TenantID, _ transaction: Transaction) throws -> MaintenanceSigner {
        try presentKey(of: tenant, transaction)
            ?? makeKey(of: tenant, reserved: try reserved(transaction), transaction)
    }

    private func presentKey(of tenant: TenantID, _ transaction: Transaction) throws -> MaintenanceSigner? {
        let row = try transaction.row(
            "SELECT id, private_key FROM maintenance_key WHERE tenant = $1 AND retired IS NULL ORDER BY made DESC LIMIT 1"
        )
        guard let row else { return nil }
        let id = try row.text(0)
        let bytes = try keyRing.open(row.blob(1), at: MaintenanceSchema.key.place(tenant, row: id), in: transaction)
        guard let signer = MaintenanceSigner(privateBytes: bytes), signer.id == id else {
            throw StorageError(.corrupt, "a maintenance key does not fit its name")
        }
        return signer
    }

    private func makeKey(
        of tenant: TenantID, reserved: Int64, _ transaction: Transaction
    ) throws -> MaintenanceSigner {
        let signer = MaintenanceSigner()
        let sealed = try keyRing.seal(
            signer.privateBytes, at: MaintenanceSchema.key.place(tenant, row: signer.id), in: transaction)
        try transaction.execute(
            """
            INSERT INTO maintenance_key (tenant, id, public_key, private_key, made, reserved)
            VALUES ($1, $2, $3, $4, $5, $6)
            """, signer.id, signer.publicBytes, sealed, clock.now, reserved)
        return signer
    }
}
