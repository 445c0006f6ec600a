public import Base

/// What a person gives to make an outlet.
public struct OutletDraft: Sendable {
    /// The name, unique in the tenant.
    public var name: Name
    /// By what means it sends.
    public var kind: DeliveryKind
    /// Where and how.
    public var settings: JSONValue
    /// The password, the gateway's key or the signing secret; for a webhook one is made when nil.
    public var secret: String?
    /// Whether it is in use from the start.
    public var isActive: Bool

    /// An outlet of these parts.
    public init(name: Name, kind: DeliveryKind, settings: JSONValue, secret: String? = nil, isActive: Bool = true) {
        self.name = name
        self.kind = kind
        self.settings = settings
        self.secret = secret
        self.isActive = isActive
    }
}

/// What a person changes about an outlet; nil leaves a part as it is.
public struct OutletChange: Sendable {
    /// The new name.
    public var name: Name?
    /// The new settings, whole.
    public var settings: JSONValue?
    /// The new secret.
    public var secret: String?
    /// Whether it is in use.
    public var isActive: Bool?

    /// A change of these parts.
    public init(name: Name? = nil, settings: JSONValue? = nil, secret: String? = nil, isActive: Bool? = nil) {
        self.name = name
        self.settings = settings
        self.secret = secret
        self.isActive = isActive
    }
}
