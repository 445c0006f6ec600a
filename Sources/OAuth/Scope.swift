public import Access

/// What a token may be used for, as programs ask for it: names of permissions, joined by spaces.
public struct Scope: Sendable, Hashable {
    /// The permissions; nil is all that the token's principal holds.
    public let permissions: Set<Permission>?
    /// Whether the program also wants to be told who the person is.
    public let isOpenID: Bool

    /// These permissions.
    public init(_ permissions: Set<Permission>?, isOpenID: Bool = false) {
        self.permissions = permissions
        self.isOpenID = isOpenID
    }

    /// The word for all that the principal holds.
    static let everything = "all"
    /// The word that asks who the person is.
    static let openID = "openid"
    /// Every word.
    static let all = [openID, everything] + Permission.allCases.map(\.rawValue)

    /// The scope that a program asks for, within what it may have; nothing asked is all that it may have.
    init(asked text: String?, within limit: Set<Permission>?) throws(OAuthError) {
        let words = (text ?? "").split(separator: " ").map(String.init)
        isOpenID = words.contains(Self.openID)
        let rest = Set(words).subtracting([Self.openID])
        var wanted: Set<Permission>? = []
        if rest.isEmpty {
            wanted = words.isEmpty ? limit : []
        } else if rest.contains(Self.everything) {
            wanted = limit
        } else {
            for word in rest {
                guard let permission = Permission(rawValue: word) else {
                    throw OAuthError(.invalidScope, "The scope names what is no permission here.")
                }
                wanted?.insert(permission)
            }
        }
        guard let limit else {
            permissions = wanted
            return
        }
        guard let wanted, wanted.isSubset(of: limit) else {
            throw OAuthError(.invalidScope, "The scope is more than this client may have.")
        }
        permissions = wanted
    }

    /// The words of a scope, in order.
    public var text: String {
        let words = permissions?.map(\.rawValue).sorted() ?? [Self.everything]
        return ((isOpenID ? [Self.openID] : []) + words).joined(separator: " ")
    }

    /// The scope in stored words.
    init(stored text: String) {
        let words = text.split(separator: " ").map(String.init)
        isOpenID = words.contains(Self.openID)
        permissions = words.contains(Self.everything) ? nil : Set(words.compactMap(Permission.init(rawValue:)))
    }

    /// Whether this one is no more than another.
    func isWithin(_ other: Scope) -> Bool {
        guard !isOpenID || other.isOpenID else { return false }
        guard let most = other.permissions else { return true }
        return permissions?.isSubset(of: most) ?? false
    }
}
