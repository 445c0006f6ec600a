import Synchronization

/// The memory that unfinished bodies of all connections share.
final class BodyBudget: Sendable {
    private let used = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Bytes in use.
    var bytes: Int { used.load(ordering: .relaxed) }

    /// Takes so many bytes, or says false and takes none.
    func take(_ bytes: Int) -> Bool {
        let (_, now) = used.wrappingAdd(bytes, ordering: .relaxed)
        guard now > limit else { return true }
        used.wrappingSubtract(bytes, ordering: .relaxed)
        return false
    }

    /// Gives them back.
    func give(_ bytes: Int) { used.wrappingSubtract(bytes, ordering: .relaxed) }
}
