import Access
import Base
public import Fleet
import Storage

/// What devices have installed, as far as their tasks tell.
extension Operations {
    /// Notes which versions devices have after these installs: the fleet shows them, later orders know them, and what
    /// still waits to bring no more than that is ended.
    ///
    /// - Parameter late: Installs that have succeeded although they count as ended otherwise.
    func noteInstalled(_ writer: TaskWriter, late: [DeviceTask] = []) throws {
        let (transaction, tenant) = (writer.transaction, writer.tenant)
        var superseded = TaskWriter(transaction, tenant: tenant, at: writer.now)
        for (id, tasks) in Dictionary(grouping: writer.installs + late, by: \.release) {
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
                try endSuperseded(by: release, on: task.device, &superseded)
            }
        }
        try superseded.finish(board, bus)
    }

    /// Ends what waits to bring a device this release of a component once more, or an earlier one: it was ordered when the
    /// device had neither. What is with the device goes to its end, and a rollback is what somebody wants.
    private func endSuperseded(by release: Release, on device: DeviceID, _ writer: inout TaskWriter) throws {
        let tasks = try writer.transaction.rows(
            """
            SELECT \(TaskStore.columns) FROM task t JOIN release r ON r.tenant = $1 AND r.id = t.release
            WHERE t.tenant = $1 AND t.device = $2 AND t.state < 100 AND t.state < \(TaskState.offered.rawValue)
            AND r.component = $3 AND r.counter <= $4 AND NOT EXISTS (
                SELECT 1 FROM rollback_grant g WHERE g.tenant = $1 AND g.operation = t.operation)
            ORDER BY t.id
            """, device, release.component, release.counter
        ).map(TaskStore.read)
        for task in tasks {
            _ = try writer.step(
                task, .cancel(force: true), word: "superseded", details: ["superseded by \(release.version)"])
            try countUpToDate(device, in: task.operation, writer.transaction)
        }
    }

    /// Notes that a device has a release because it says so by itself; nil when there is no such release, else whether
    /// that is news. Which release is the later one does not matter: it may have been put there by hand.
    public func noteTold(_ component: String, _ version: String, by device: AdmittedDevice) async throws -> Bool? {
        guard let name = Name(component) else { return nil }
        return try await database.tenant(device.tenant).write { [fleet, clock] transaction -> Bool? in
            let order = try VersionOrder(of: name.text, in: transaction)
            guard order.counter(of: version) != nil else { return nil }
            return try fleet.noteInstalled(
                name, version, on: device.device, of: device.tenant, at: clock.now, replacing: { _ in true },
                in: transaction)
        }
    }

    /// Those of these devices that get no release by an order: they are known to have a later one, or other hardware.
    ///
    /// A device of other hardware gets it by a rollback neither. Who orders need not be able to see why.
    func unsuited(
        to release: ReleaseID?, _ devices: [DeviceID], isRollback: Bool, of tenant: TenantID,
        in transaction: Transaction
    ) throws -> (newer: Set<DeviceID>, misfits: Set<DeviceID>) {
        guard let release, let release = try ReleaseStore.find(release, in: transaction) else { return ([], []) }
        let order = try VersionOrder(of: release.component, in: transaction)
        let candidates = try fleet.candidates(
            among: devices, of: release.component, tenant: tenant, for: Self.judge, .taskInstall, in: transaction)
        let newer = candidates.filter { order.counter(of: $0.version).map { $0 > release.counter } ?? false }
        return (
            isRollback ? [] : Set(newer.map(\.device)),
            Set(candidates.filter { !release.fits($0.hardware) }.map(\.device))
        )
    }

    /// What is told when devices would get an earlier release than they have.
    func downgrade(
        of devices: Set<DeviceID>, for principal: Principal, _ tenant: TenantID, in transaction: Transaction
    ) throws -> Refusal {
        Self.downgrade(try having(devices, for: principal, tenant, in: transaction))
    }

    /// What is told when devices would get a release that is not for their hardware.
    func misfit(
        of devices: Set<DeviceID>, for principal: Principal, _ tenant: TenantID, in transaction: Transaction
    ) throws -> Refusal {
        Self.misfit(try having(devices, for: principal, tenant, in: transaction))
    }

    /// The devices, or some of many, as the beginning of a sentence about what they have.
    private func having(
        _ devices: Set<DeviceID>, for principal: Principal, _ tenant: TenantID, in transaction: Transaction
    ) throws -> String {
        let some = Array(devices.sorted().prefix(OperationLimits.namedInRefusal))
        let names = try fleet.names(of: some, in: tenant, for: principal, .taskInstall, in: transaction)
        let shown = names.values.map(\.text).sorted().joined(separator: ", ")
        return devices.count == 1 ? "\(shown) has" : "\(devices.count) devices, such as \(shown), have"
    }

    /// So many of all devices that match, as the beginning of such a sentence.
    static func having(_ count: Int, of all: Int) -> String {
        guard count == all else { return "Of \(all) devices that match, \(count) have" }
        return count == 1 ? "The one device that matches has" : "All \(count) devices that match have"
    }

    static func misfit(_ who: String) -> Refusal {
        Refusal(
            .conflict, "release.hardware",
            "\(who) hardware that the release is not for, as the model says. Choose a release for it, or correct the model."
        )
    }

    static func downgrade(_ who: String) -> Refusal {
        Refusal(
            .conflict, "release.downgrade",
            "\(who) a later release already. To go back to this one, order it as a rollback.")
    }
}
