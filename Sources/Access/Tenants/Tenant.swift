public import Base

/// A customer: the isolation boundary.
public struct Tenant: Sendable, Hashable {
    /// Whether the tenant works.
    public enum Status: String, Sendable {
        /// It works.
        case active
        /// Its devices and principals are refused until it is resumed.
        case suspended
        /// Its keys are being destroyed and its rows removed; there is no way back.
        case deleting
    }

    /// The stable identifier.
    public let id: TenantID
    /// The short name in addresses and certificates; never changes.
    public let slug: TenantSlug
    /// The name for people.
    public let name: String
    /// Whether it works.
    public let status: Status
    /// Its quotas and rates.
    public let plan: PlanID
    /// The root of its domain tree.
    public let rootDomain: DomainID
    /// When it was made.
    public let created: Timestamp
    /// True for the removable demonstration tenant.
    public let demo: Bool
    /// The time zone in which its times are shown; nil when nobody has chosen one.
    public let timeZone: TimeZoneName?

    /// A tenant with these traits.
    public init(
        id: TenantID, slug: TenantSlug, name: String, status: Status, plan: PlanID, rootDomain: DomainID,
        created: Timestamp, demo: Bool, timeZone: TimeZoneName? = nil
    ) {
        self.id = id
        self.slug = slug
        self.name = name
        self.status = status
        self.plan = plan
        self.rootDomain = rootDomain
        self.created = created
        self.demo = demo
        self.timeZone = timeZone
    }
}
