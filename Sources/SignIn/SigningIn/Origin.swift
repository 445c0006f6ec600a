/// From where somebody signs in.
public struct Origin: Sendable, Hashable {
    /// The network address, behind trusted proxies the one that they name.
    public let address: String?
    /// The browser's own description, shortened and without control characters.
    public let userAgent: String?
    /// The realm of the listener: the platform's staff come in by their own and nowhere else.
    public let realm: Realm

    /// Somebody at this address, on a listener of this realm.
    public init(address: String?, userAgent: String? = nil, realm: Realm = .people) {
        self.address = address
        self.userAgent = userAgent.map { text in
            String(
                String.UnicodeScalarView(
                    text.unicodeScalars.prefix(SignInLimits.userAgentCharacters).map { scalar in
                        scalar.properties.generalCategory == .control ? " " : scalar
                    }))
        }
        self.realm = realm
    }
}
