package import Storage
import Synchronization

/// Those who hear, in its transaction, that a tenant's time zone was changed.
package final class ZoneChanges: Sendable {
    /// What is done about the change.
    package typealias Heard = @Sendable (Tenant, Transaction) throws -> Void

    private let listeners = Mutex<[Heard]>([])

    /// Lets somebody hear of changes.
    package func add(_ heard: @escaping Heard) { listeners.withLock { $0.append(heard) } }

    func tell(_ tenant: Tenant, in tx: Transaction) throws {
        for heard in listeners.withLock({ $0 }) { try heard(tenant, tx) }
    }
}
