package import Base
package import Storage
import Synchronization

/// Those who hear, in its transaction, that a domain has got another one above it, or is gone.
package final class DomainChanges: Sendable {
    /// What became of the domain.
    package enum Change: Sendable {
        /// It lies below another one now, with all below it.
        case moved
        /// It was deleted.
        case deleted
    }

    /// What is done about the change.
    package typealias Heard = @Sendable (TenantID, DomainID, Change, Transaction) throws -> Void

    private let listeners = Mutex<[Heard]>([])

    /// Lets somebody hear of changes.
    package func add(_ heard: @escaping Heard) { listeners.withLock { $0.append(heard) } }

    func tell(_ domain: DomainID, _ change: Change, of tenant: TenantID, in tx: Transaction) throws {
        for heard in listeners.withLock({ $0 }) { try heard(tenant, domain, change, tx) }
    }
}
