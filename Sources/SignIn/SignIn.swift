public import Access
public import Audit
public import Base
public import Storage

/// People's accounts and how they sign in: passwords, factors, links and sessions.
///
/// Who may do what is Access's business; this part proves who somebody is, and opens a credential of the kind session
/// for them.
public struct SignIn: Sendable {
    let database: Database
    let access: Access
    let audit: AuditLog
    let clock: WallClock

    /// Sign-in over these parts.
    public init(database: Database, access: Access, audit: AuditLog, clock: WallClock = .system) {
        self.database = database
        self.access = access
        self.audit = audit
        self.clock = clock
    }
}
