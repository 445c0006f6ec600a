import Base
import Synchronization

/// How many devices of each domain and model have which components, in memory for fleets so large that to count them
/// takes long.
///
/// After a change the figures may still be shown for a few seconds, so that a fleet that is being updated is not counted
/// at each look.
final class VersionCounts: Sendable {
    /// Devices of one domain and model whose components are the same.
    struct Line: Hashable, Sendable {
        let domain: DomainID
        let model: ModelID?
        /// The versions, as the database keeps them.
        let components: String
        let devices: Int
    }

    private struct Kept {
        let lines: [Line]
        /// The mark of the transaction that counted.
        let began: UInt64
        let counted: Duration
    }

    private struct State {
        var kept: [TenantID: Kept] = [:]
        /// The marks of the last changes.
        var changed: [TenantID: UInt64] = [:]
    }

    private let state = Mutex(State())
    private let steady: @Sendable () -> Duration

    /// Figures whose age is told by this clock, which is how long the server has run.
    init(steady: @escaping @Sendable () -> Duration) { self.steady = steady }

    /// The figures of a tenant that may be shown now.
    func lines(of tenant: TenantID) -> [Line]? {
        let now = steady()
        return state.withLock { state in
            guard let kept = state.kept[tenant],
                kept.began > state.changed[tenant] ?? 0 || now - kept.counted < FleetLimits.countsPatience
            else { return nil }
            return kept.lines
        }
    }

    /// Keeps what was counted, unless the fleet is so small that it is as well counted again, or has so many makes that
    /// memory would hold each of its devices.
    func keep(_ lines: [Line], of tenant: TenantID, readAt began: UInt64) {
        let devices = lines.reduce(0) { $0 + $1.devices }
        let now = steady()
        state.withLock { state in
            let isWorth = devices >= FleetLimits.countedAnew && lines.count <= FleetLimits.keptCounts
            state.kept[tenant] = isWorth ? Kept(lines: lines, began: began, counted: now) : nil
        }
    }

    /// A change of the tenant's devices was committed.
    func change(_ tenant: TenantID, at mark: UInt64) {
        state.withLock { $0.changed[tenant] = max($0.changed[tenant] ?? 0, mark) }
    }

    func forget(_ tenant: TenantID) {
        state.withLock { state in
            state.kept[tenant] = nil
            state.changed[tenant] = nil
        }
    }
}
