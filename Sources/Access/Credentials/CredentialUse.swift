import Base
import Synchronization

/// When credentials were last used, in memory until it is written: a read must not cost a write.
final class CredentialUse: Sendable {
    private let uses = Mutex<[CredentialID: Timestamp]>([:])

    func note(_ credential: CredentialID, at time: Timestamp) {
        uses.withLock { uses in
            // What does not fit is missed once; the next write makes room.
            guard uses[credential] != nil || uses.count < AccessLimits.rememberedUses else { return }
            uses[credential] = time
        }
    }

    /// The last use that is not written yet.
    func unwritten(_ credential: CredentialID) -> Timestamp? { uses.withLock { $0[credential] } }

    func take() -> [CredentialID: Timestamp] {
        uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
    }
}
