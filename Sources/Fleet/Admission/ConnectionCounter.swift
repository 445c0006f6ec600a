import Synchronization

/// Counts what may be open at once; many event loops share it without a lock.
public final class ConnectionCounter: Sendable {
    private let open = Atomic<Int>(0)
    private let limit: Atomic<Int>

    /// A counter that lets at most `limit` be open.
    public init(limit: Int) { self.limit = Atomic(limit) }

    /// How many are open now.
    public var count: Int { open.load(ordering: .relaxed) }

    /// Changes the limit; what is open already stays open.
    public func setLimit(_ limit: Int) { self.limit.store(limit, ordering: .relaxed) }

    /// Counts one more and says true, or says false when the limit is reached.
    public func acquire() -> Bool {
        let limit = limit.load(ordering: .relaxed)
        var seen = open.load(ordering: .relaxed)
        while seen < limit {
            let (exchanged, original) = open.weakCompareExchange(
                expected: seen, desired: seen + 1, successOrdering: .relaxed, failureOrdering: .relaxed)
            if exchanged { return true }
            seen = original
        }
        return false
    }

    /// Counts one less; call it once for each `acquire` that said true.
    public func release() { open.wrappingSubtract(1, ordering: .relaxed) }
}
