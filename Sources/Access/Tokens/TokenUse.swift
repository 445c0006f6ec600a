import Base
import Synchronization

/// When tokens were last used, in memory until it is written: a read must not cost a write.
final class TokenUse: Sendable {
    private let uses = Mutex<[CredentialID: Timestamp]>([:])

    func note(_ token: CredentialID, at time: Timestamp) {
        uses.withLock { uses in
            // What does not fit is missed once; the next write makes room.
            guard uses[token] != nil || uses.count < AccessLimits.rememberedUses else { return }
            uses[token] = time
        }
    }

    func take() -> [CredentialID: Timestamp] {
        uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
    }
}
