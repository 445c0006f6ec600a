import Access
import Base
import OAuth
import SignIn
import Storage

/// What ends when a backup is put back.
enum Release {
    /// Ends sessions, access and refresh tokens, sign-ins under way and links: any of them may have ended, or been used,
    /// after the backup was made. Certificates, API keys and passwords stay, so that devices, programs and people have a
    /// way in; those that were ended since must be ended again.
    static func signIns(_ tx: Transaction, at now: Timestamp) throws -> Int {
        let sessions = try Access.endSignedIn(at: now, in: tx)
        try OAuth.endFamilies(at: now, in: tx)
        try SignIn.endWaiting(at: now, in: tx)
        return sessions
    }
}
