public import Access
public import Base
import Storage

extension Fleet {
    /// What moving a device to another domain would do to who can reach it.
    public func previewMove(
        _ text: String, to domain: String, in tenant: TenantID, by principal: Principal
    ) async throws -> ReachChange {
        let reference = try Self.reference(text)
        return try await access.trial(tenant) { transaction in
            let old = try device(reference, of: tenant, for: principal, .reachRead, in: transaction)
            let before = try access.reach(
                at: GrantPlace(domain: old.domain, device: old.id), tenant: tenant, in: transaction)
            var change = DeviceChange()
            change.domain = domain
            let new = try update(reference, change, in: tenant, by: principal, transaction)
            let after = try access.reach(
                at: GrantPlace(domain: new.domain, device: new.id), tenant: tenant, in: transaction)
            return try access.counted(
                Access.change(from: before, to: after), tenant: tenant, in: transaction)
        }
    }

    /// Undoes the move of a device: it goes back to where it was.
    public func undoMove(_ id: MoveID, in tenant: TenantID, by principal: Principal) async throws -> Device {
        try await writing(tenant) { transaction in
            let move = try access.openMove(id, tenant: tenant, by: principal, in: transaction)
            guard case .device(let device) = move.object else { throw Access.movedOn }
            let old = try self.device(.id(device), of: tenant, for: principal, .deviceManage, in: transaction)
            guard old.domain == move.target else { throw Access.movedOn }
            var change = DeviceChange()
            change.domain = move.origin.text
            let back = try update(.id(device), change, in: tenant, by: principal, isMove: false, transaction)
            try access.closeMove(move, tenant: tenant, by: principal, in: transaction)
            return back
        }
    }
}
