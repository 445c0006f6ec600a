package import Base
import Storage
public import Trust

/// What of a sort of changes is not for everybody who may read that changes wait.
package struct GuardedChange: Sendable {
    /// The member that is sealed beside the change while it waits, and shown to nobody.
    let secret: String
    /// What it takes to read the whole rest.
    let reader: Permission
    /// The change as the audit log has it, and whoever lacks that permission.
    let told: @Sendable (JSONValue) -> JSONValue

    /// A change with a secret in this member; `told` leaves out what is only for holders of `reader`.
    package init(
        secret: String, reader: Permission, told: @escaping @Sendable (JSONValue) -> JSONValue
    ) {
        self.secret = secret
        self.reader = reader
        self.told = told
    }

    /// The change without its secret, and the secret.
    func parted(_ change: JSONValue) throws -> (change: JSONValue, secret: String?) {
        guard case .object(var members) = change, let value = members.removeValue(forKey: secret) else {
            return (change, nil)
        }
        guard let text = value.string else { throw Access.unreadable(secret) }
        return (.object(members), text)
    }
}

extension AccessSchema {
    static let changeSecretColumn = SealedColumn(table: "pending_change", rowColumns: ["id"], column: "secret")

    /// The columns that hold sealed values.
    public static let sealedColumns = [changeSecretColumn]
}

extension Access {
    /// Seals a change's secret while it waits.
    func keep(_ secret: String?, of change: PendingChangeID, tenant: TenantID, in tx: Transaction) throws {
        guard let secret else { return }
        let place = AccessSchema.changeSecretColumn.place(tenant, row: change)
        try tx.scoped(to: tenant).execute(
            "UPDATE pending_change SET secret = $3 WHERE tenant = $1 AND id = $2", change,
            try keyRing.seal(Array(secret.utf8), at: place, in: tx))
    }

    /// A change that waits as it was proposed, with its secret.
    func whole(_ pending: PendingChange, tenant: TenantID, in tx: Transaction) throws -> JSONValue {
        guard let guarded = approvals.kind(pending.kind)?.guarded, case .object(var members) = pending.change,
            let sealed = try tx.scoped(to: tenant).row(
                "SELECT secret FROM pending_change WHERE tenant = $1 AND id = $2", pending.id)?.blobIfAny(0)
        else { return pending.change }
        let place = AccessSchema.changeSecretColumn.place(tenant, row: pending.id)
        members[guarded.secret] = .string(String(decoding: try keyRing.open(sealed, at: place, in: tx), as: UTF8.self))
        return .object(members)
    }

    /// What the log is told of a change.
    func told(_ pending: PendingChange) -> JSONValue {
        approvals.kind(pending.kind)?.guarded?.told(pending.change) ?? pending.change
    }

    /// The change as this principal may read it.
    func shown(
        _ pending: PendingChange, to principal: Principal, tenant: TenantID, in tx: Transaction
    ) throws -> PendingChange {
        guard let guarded = approvals.kind(pending.kind)?.guarded,
            try !permissions(of: principal, tenant: tenant, domain: nil, in: tx).contains(guarded.reader)
        else { return pending }
        return pending.showing(guarded.told(pending.change))
    }
}
