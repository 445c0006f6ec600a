import Access
import Base
import Fleet
import Storage

/// What devices have installed, as far as their tasks tell.
extension Operations {
    /// Notes which versions devices have after these installs: the fleet shows them, and later orders know them.
    func noteInstalled(_ writer: TaskWriter) throws {
        let (transaction, tenant) = (writer.transaction, writer.tenant)
        for (id, tasks) in Dictionary(grouping: writer.installs, by: \.release) {
            guard let id, let release = try ReleaseStore.find(id, in: transaction),
                let component = Name(release.component)
            else { continue }
            let order = try VersionOrder(of: release.component, in: transaction)
            for task in tasks {
                let isRollback = try RollbackGrant.has(task.operation, in: transaction)
                try fleet.noteInstalled(
                    component, release.version, on: task.device, of: tenant, at: writer.now,
                    // Late words about an earlier install do not undo a later one.
                    replacing: { isRollback || order.counter(of: $0).map { $0 < release.counter } ?? true },
                    in: transaction)
            }
        }
    }

    /// Those of these devices that are known to have a later release than this one.
    func newer(
        than release: ReleaseID?, _ devices: [DeviceID], of tenant: TenantID, for principal: Principal,
        in transaction: Transaction
    ) throws -> Set<DeviceID> {
        guard let release, let release = try ReleaseStore.find(release, in: transaction) else { return [] }
        let order = try VersionOrder(of: release.component, in: transaction)
        return Set(
            try fleet.candidates(
                among: devices, of: release.component, tenant: tenant, for: principal, .taskInstall, in: transaction
            ).filter { order.counter(of: $0.version).map { $0 > release.counter } ?? false }.map(\.device))
    }

    /// What is told when devices would get an earlier release than they have.
    func downgrade(
        of devices: Set<DeviceID>, for principal: Principal, _ tenant: TenantID, in transaction: Transaction
    ) throws -> Refusal {
        let some = Array(devices.sorted().prefix(OperationLimits.namedInRefusal))
        let names = try fleet.names(of: some, in: tenant, for: principal, .taskInstall, in: transaction)
        let shown = names.values.map(\.text).sorted().joined(separator: ", ")
        return Self.downgrade(
            devices.count == 1 ? "\(shown) has" : "\(devices.count) devices, such as \(shown), have")
    }

    static func downgrade(_ who: String) -> Refusal {
        Refusal(
            .conflict, "release.downgrade",
            "\(who) a later release already. To go back to this one, order it as a rollback.")
    }
}
