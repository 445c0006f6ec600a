public import Base

/// Marks identifiers of factors.
public enum FactorKind {}
/// Names one factor of an account.
public typealias FactorID = Identifier<FactorKind>

/// Something of an account's holder that proves them beside the password.
public struct Factor: Sendable, Hashable {
    /// The stable identifier.
    public let id: FactorID
    /// What it is: a passkey, an authenticator program or a telephone.
    public let method: FactorMethod
    /// What its holder calls it.
    public let name: String
    /// When it was set up.
    public let created: Timestamp
    /// When it last proved its holder.
    public let lastUsed: Timestamp?
    /// The end of the telephone number, for a telephone.
    public let numberEnd: String?
}

/// What an account has beside its password.
public struct FactorOverview: Sendable, Hashable {
    /// The factors, the oldest first.
    public let factors: [Factor]
    /// How many recovery codes are left.
    public let recoveryCodes: Int
    /// What the tenant and the holder's roles ask for at least.
    public let level: FactorLevel
}

/// What comes of setting a factor up.
public struct FactorConfirmation: Sendable {
    /// The factor, which counts from now on.
    public let factor: Factor
    /// The first recovery codes, shown this once; none when the account has some already.
    public let recoveryCodes: [String]
}

/// How strong a factor the sign-in asks for, each level including those below.
public enum FactorLevel: String, Sendable, CaseIterable, Comparable {
    /// None: the password is enough.
    case none
    /// Any, a code by text message included, which is the weakest.
    case any
    /// A code from an authenticator program, or a passkey.
    case code
    /// A passkey, which nobody can be talked out of.
    case passkey

    private var rank: Int {
        switch self {
        case .none: 0
        case .any: 1
        case .code: 2
        case .passkey: 3
        }
    }

    /// Weaker levels come first.
    public static func < (left: FactorLevel, right: FactorLevel) -> Bool { left.rank < right.rank }

    /// Whether proving this method is enough. A recovery code is for who has lost the factor that would be.
    public func admits(_ method: FactorMethod) -> Bool {
        switch method {
        case .recovery, .passkey: true
        case .totp: self <= .code
        case .sms: self <= .any
        }
    }
}
