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
    /// Tokens whose last use is remembered until it is written.
    public static let rememberedUses = 10_000
    /// Rows of one page.
    public static let page = 1000
}
