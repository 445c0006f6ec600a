import Base
import Storage

/// Which versions of a component are later than which, as far as the tenant's releases tell.
struct VersionOrder {
    private let counters: [String: Int64]

    init(of component: String, in transaction: Transaction) throws {
        counters = try ReleaseStore.counters(of: component, in: transaction)
    }

    /// The counter of a version; nil when no release has this version.
    func counter(of version: String?) -> Int64? { version.flatMap { counters[$0] } }
}
