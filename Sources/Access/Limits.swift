/// Every bound of this target.
public enum AccessLimits {
    /// Levels of a tenant's domain tree, the root included.
    public static let domainDepth = 32
    /// Bytes of a name for people.
    public static let displayNameBytes = 200
    /// Custom roles of one tenant.
    public static let roles = 200
    /// Grants of one principal.
    public static let grantsPerPrincipal = 200
    /// User groups of one tenant.
    public static let groups = 1000
    /// Users of one group.
    public static let groupMembers = 10_000
    /// Groups that one user may be in.
    public static let groupsPerPrincipal = 100
    /// Days for which a guest's grant may run.
    public static let guestDays: Int64 = 366
    /// Decisions' grounds that are kept in memory, of principals in tenants.
    static let rememberedRights = 20_000
    /// Lines from a domain to the root that are kept in memory.
    static let rememberedLines = 50_000
    /// Seconds after which what is kept in memory is read again, whatever was told of changes.
    static let rightsSeconds: Int64 = 30
    /// Tokens of one tenant, ended ones aside.
    public static let tokens = 10_000
    /// Open shares that one tenant has offered.
    public static let shares = 1000
    /// Days after which an accepted share ends at the latest.
    public static let shareDays: Int64 = 3660
    /// Days after which a share with the platform's staff ends at the latest.
    public static let staffShareDays: Int64 = 30
    /// Rows that the removal of a tenant deletes in one transaction.
    public static let removedRows = 2000
    /// Address ranges of one credential.
    public static let addressRanges = 50
    /// Characters that are kept of what a program calls itself.
    public static let agentCharacters = 300
    /// Seconds after which the last use of a credential is written at the latest; a held principal is given this much
    /// more than its idle limit.
    static let useSeconds: Int64 = 180
    /// Days for which an ended credential is still shown.
    static func keptDays(_ kind: Credential.Kind) -> Int64 {
        switch kind {
        case .token: 366
        case .session: 90
        case .access: 7
        }
    }
    /// Credentials whose last use is remembered until it is written.
    public static let rememberedUses = 10_000
    /// Bytes of the reason for a change of security settings.
    public static let reasonBytes = 1000
    /// Days for which a change waits for a second approver.
    public static let approvalDays: Int64 = 7
    /// Changes of one tenant that may wait at once.
    public static let pendingChanges = 200
    /// Days for which decided changes and moves are kept.
    static let decidedDays: Int64 = 400
    /// Principals that one statement names.
    static let principalsAtOnce = 500
    /// Days for which a move, or a grant's making or end, can be undone.
    public static let undoDays: Int64 = 30
    /// Rows of one page.
    public static let page = 1000
}
