import Base
import Synchronization

/// The grounds of decisions in memory: what principals hold, and the lines from domains up to the root.
///
/// Each is kept with the database's mark from before the transaction that read it. Whatever changes a right marks that
/// change after its commit, before its caller gets an answer; what was read by a transaction that had begun before the
/// last such mark is not used. Only reads decide by it: a transaction that writes reads its grounds itself.
final class Rights: Sendable {
    struct Key: Hashable {
        let principal: PrincipalID
        let credential: CredentialID?
        let tenant: TenantID
    }

    struct Line {
        let ids: [DomainID]
    }

    private struct Kept<Value> {
        let value: Value
        let began: UInt64
        let checkBy: Timestamp
    }

    private struct LineKey: Hashable {
        let tenant: TenantID
        let domain: DomainID
    }

    private struct State {
        var changed: UInt64 = 0
        var holdings: [Key: Kept<[Holding]>] = [:]
        var lines: [LineKey: Kept<Line>] = [:]
    }

    private let state = Mutex(State())

    /// What the principal holds, when it was read after the last change.
    func holdings(_ key: Key, at now: Timestamp) -> [Holding]? {
        state.withLock { state in
            guard let kept = state.holdings[key], kept.began > state.changed, now < kept.checkBy else { return nil }
            return kept.value
        }
    }

    func keep(_ holdings: [Holding], of key: Key, readAt began: UInt64, until checkBy: Timestamp) {
        state.withLock { state in
            if state.holdings.count >= AccessLimits.rememberedRights { state.holdings.removeAll(keepingCapacity: true) }
            state.holdings[key] = Kept(value: holdings, began: began, checkBy: checkBy)
        }
    }

    /// The domain and those above it, when they were read after the last change.
    func line(of domain: DomainID, in tenant: TenantID, at now: Timestamp) -> Line? {
        state.withLock { state in
            guard let kept = state.lines[LineKey(tenant: tenant, domain: domain)], kept.began > state.changed,
                now < kept.checkBy
            else { return nil }
            return kept.value
        }
    }

    func keep(_ line: Line, of domain: DomainID, in tenant: TenantID, readAt began: UInt64, until checkBy: Timestamp) {
        state.withLock { state in
            if state.lines.count >= AccessLimits.rememberedLines { state.lines.removeAll(keepingCapacity: true) }
            state.lines[LineKey(tenant: tenant, domain: domain)] = Kept(value: line, began: began, checkBy: checkBy)
        }
    }

    /// A change of rights was committed.
    func change(at mark: UInt64) { state.withLock { $0.changed = max($0.changed, mark) } }

    /// The mark of the last change, for tests that every change makes one.
    var lastChange: UInt64 { state.withLock { $0.changed } }
}
