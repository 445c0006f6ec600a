import Access
public import Base

/// Marks identifiers of release lines.
public enum ReleaseLineKind {}
/// The identifier of a release line.
public typealias ReleaseLineID = Identifier<ReleaseLineKind>

/// The releases of one component, as a tenant shares them with another: what the one publishes arrives at the other by
/// itself, is checked there as an upload would be, and is installed only when that tenant says so.
public struct ReleaseLine: Sendable, Hashable {
    /// How far the offer has come.
    public enum Status: String, CaseIterable, Sendable {
        /// The other tenant has not answered.
        case offered
        /// Releases arrive.
        case accepted
        /// It was turned down.
        case declined
        /// One of the two has ended it; what has arrived stays.
        case ended
    }

    /// Its identifier.
    public let id: ReleaseLineID
    /// The tenant that publishes.
    public let owner: TenantID
    /// The tenant at which the releases arrive.
    public let taker: TenantID
    /// The component, which has the same name on both sides.
    public let component: String
    /// How far the offer has come.
    public internal(set) var status: Status
    /// When it was offered.
    public let offered: Timestamp
    /// Who accepted it, in whose name artifacts arrive.
    let accepter: PrincipalID?
    /// The counter of the last release that has arrived, or need not.
    public let arrived: Int64
    /// Why the next release could not be taken; nil when nothing is in the way.
    public let problem: String?
}
