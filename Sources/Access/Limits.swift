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
    /// Tokens of one tenant, ended ones aside.
    public static let tokens = 10_000
    /// Open shares that one tenant has offered.
    public static let shares = 1000
    /// Days after which an accepted share ends at the latest.
    public static let shareDays: Int64 = 3660
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
    /// Rows of one page.
    public static let page = 1000
}
