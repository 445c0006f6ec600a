import Access
package import Base
import Synchronization

/// Whose desired documents wait because the work on them failed: what one tenant's rows do keeps no other waiting.
package final class DesiredPauses: Sendable {
    /// Hears of a tenant whose work failed.
    package typealias Report = @Sendable (TenantID, any Error) -> Void

    /// The two sorts of work, each of which fails by itself.
    enum Work: Hashable {
        case edits
        case refreshes
    }

    private struct Key: Hashable {
        var tenant: TenantID
        var work: Work
    }

    private struct Pause {
        var length: Duration
        var end: Timestamp
    }

    private let pauses = Mutex<[Key: Pause]>([:])

    /// Whether a tenant's work may be tried.
    func allows(_ work: Work, of tenant: TenantID, at time: Timestamp) -> Bool {
        pauses.withLock { pauses in pauses[Key(tenant: tenant, work: work)].map { $0.end <= time } ?? true }
    }

    /// Notes how a try went: a failure lets the tenant's work wait, longer each time.
    func note(_ work: Work, of tenant: TenantID, failed: Bool, at time: Timestamp) {
        let key = Key(tenant: tenant, work: work)
        pauses.withLock { pauses in
            guard failed else {
                pauses[key] = nil
                return
            }
            let length = pauses[key].map { min($0.length * 2, FleetLimits.desiredPauseLongest) }
            pauses[key] = Pause(
                length: length ?? FleetLimits.desiredPause, end: time + (length ?? FleetLimits.desiredPause))
        }
    }
}

extension Fleet {
    /// Does a part of the work of each of these tenants that the server serves; false when nothing was done.
    func eachTenant(
        _ tenants: [TenantID], _ work: DesiredPauses.Work, _ failed: DesiredPauses.Report,
        _ act: (TenantID) async throws -> Void
    ) async throws -> Bool {
        var didWork = false
        for tenant in tenants where access.directory.tenant(tenant) != nil {
            guard desiredPauses.allows(work, of: tenant, at: clock.now) else { continue }
            do {
                try await act(tenant)
                desiredPauses.note(work, of: tenant, failed: false, at: clock.now)
                didWork = true
            } catch {
                // A stop is no fault of the tenant's.
                try Task.checkCancellation()
                desiredPauses.note(work, of: tenant, failed: true, at: clock.now)
                failed(tenant, error)
            }
        }
        return didWork
    }
}
