public import Base

/// A node in a tenant's tree; rights that are granted at it hold for everything below.
public struct Domain: Sendable, Hashable {
    /// The stable identifier.
    public let id: DomainID
    /// The domain above, nil for the root.
    public let parent: DomainID?
    /// The name, unique among its siblings.
    public let name: String
    /// When it was made.
    public let created: Timestamp
}
