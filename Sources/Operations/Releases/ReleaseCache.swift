import Base
import Synchronization

/// Releases that devices ask for, in memory.
///
/// What is read while a release changes could be the old one, so it is kept only when nothing was dropped meanwhile.
final class ReleaseCache: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let release: ReleaseID
    }

    private struct State {
        var releases: [Key: Release] = [:]
        var changes = 0
    }

    private let state = Mutex(State())

    /// The release, and how many changes there were before it was looked for.
    func find(_ id: ReleaseID, of tenant: TenantID) -> (release: Release?, changes: Int) {
        state.withLock { ($0.releases[Key(tenant: tenant, release: id)], $0.changes) }
    }

    func keep(_ release: Release, of tenant: TenantID, changes: Int) {
        state.withLock { state in
            guard state.changes == changes else { return }
            // Few releases are ever installed at one time; to begin anew is simpler than to find the oldest.
            if state.releases.count >= OperationLimits.cachedReleases { state.releases = [:] }
            state.releases[Key(tenant: tenant, release: release.id)] = release
        }
    }

    func drop(_ id: ReleaseID, of tenant: TenantID) {
        state.withLock { state in
            state.releases[Key(tenant: tenant, release: id)] = nil
            state.changes += 1
        }
    }

    func drop(_ tenant: TenantID) {
        state.withLock { state in
            state.releases = state.releases.filter { $0.key.tenant != tenant }
            state.changes += 1
        }
    }
}
