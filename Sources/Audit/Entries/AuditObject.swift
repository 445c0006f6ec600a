/// What an audit entry is about: a device, a domain, a token.
public struct AuditObject: Sendable, Hashable {
    /// The sort of object in one word of the project's vocabulary, such as `device`.
    public var kind: String
    /// The object's stable identifier; stored in the clear, so never a personal detail.
    public var id: String

    /// The object of this kind with this identifier.
    public init(kind: String, id: String) {
        self.kind = kind
        self.id = id
    }
}
