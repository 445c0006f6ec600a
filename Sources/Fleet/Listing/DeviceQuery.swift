public import Base

/// Which devices are wanted, in which order, and how many at once.
public struct DeviceQuery: Sendable {
    /// Where a device stands.
    public enum Position: Sendable, Hashable {
        /// In a part of the world.
        case within(MapBox)
        /// Nobody knows where.
        case nowhere
    }

    /// The text of a ``DeviceFilter``; nil wants all.
    public var filter: String?
    /// The order.
    public var sort: DeviceSort
    /// Where an earlier page ended.
    public var cursor: String?
    /// How many at most, up to 1000.
    public var limit: Int
    /// A principal of the tenant, by name or identifier: only the devices that they can see, too.
    public var seenBy: String?
    /// Only the devices that live in this domain itself, not below it.
    public var livesIn: DomainID?
    /// Only the devices that stand here.
    public var position: Position?
    /// How many of all devices that match are counted.
    public var counting: Counting

    /// A query for the first hundred devices by name, unless said otherwise.
    public init(
        filter: String? = nil, sort: DeviceSort = .name, cursor: String? = nil, limit: Int = 100,
        counting: Counting = .nothing
    ) {
        self.filter = filter
        self.sort = sort
        self.cursor = cursor
        self.limit = limit
        self.counting = counting
    }
}
