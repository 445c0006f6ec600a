import Base

/// Whose rows a statement may touch.
enum Scope: Hashable, Sendable {
    /// One tenant's, bound to `$1`.
    case tenant(TenantID)
    /// No tenant's: tables of the whole deployment only.
    case platform
    /// Every tenant's: start-up loads, retention, migrations, backups.
    case across
}
