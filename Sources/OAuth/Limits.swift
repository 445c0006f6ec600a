import Base

/// Every bound of this target.
public enum OAuthLimits {
    /// Bytes of a form, and of a query that asks for an authorization.
    public static let formBytes = 32 << 10
    /// Values in a form.
    public static let formValues = 32
    /// Bytes of a redirect address.
    public static let addressBytes = 1000
    /// Redirect addresses of one client.
    public static let redirects = 20
    /// Clients of one tenant, ended ones aside.
    public static let clients = 1000
    /// Bytes of the public keys that a client registers.
    public static let clientKeyBytes = 16 << 10
    /// Bytes of `state` and of `nonce`.
    static let echoedBytes = 1024
    /// How long a code is good that a browser carries to a program.
    static let codeLife = Duration.seconds(60)
    /// How long a person has to let a program in that shows a code.
    static let connectionLife = Duration.seconds(600)
    /// Seconds between two questions of such a program.
    static let connectionPause: Int64 = 5
    /// Programs that wait for a person at one time.
    static let connections = 10_000
    /// Of them those of one network.
    static let connectionsPerNetwork = 50
    /// How long one is kept that has ended: each costs whoever begins it nothing.
    static let connectionKept = Duration.seconds(3600)
    /// How long an access token is good.
    static let accessLife = Duration.seconds(3600)
    /// How long a refresh token is good without use.
    static let refreshLife = Duration.seconds(30 * 86_400)
    /// How long a program may go on before the person must be asked again.
    static let familyLife = Duration.seconds(90 * 86_400)
    /// How long an assertion may be good.
    static let assertionLife = Duration.seconds(3600)
    /// Bytes of an assertion's own name.
    static let assertionNameBytes = 256
    /// How long a token that says who somebody is is good.
    static let identityLife = Duration.seconds(600)
    /// How long a key signs before there is another.
    static let keyLife = Duration.seconds(90 * 86_400)
    /// How long a new key is shown before it signs, and an old one after it no longer does.
    static let keyOverlap = Duration.seconds(86_400)
    /// Live access tokens of one client for itself.
    static let liveTokens = 1000
    /// Wrong codes that one person may type in ten minutes.
    static let codeAttempts = 20
    /// Persons whose attempts are counted.
    static let countedPersons = 10_000
    /// How long what has ended is kept, so that its second use is noticed.
    static let keptAfterEnd = Duration.seconds(7 * 86_400)
    /// Rows removed in one transaction.
    static let removedRows = 1000
    /// Rows of one page.
    static let page = 1000
}
