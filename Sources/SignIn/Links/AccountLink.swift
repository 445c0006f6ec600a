public import Base

/// What a single-use link is for.
public enum LinkPurpose: String, Sendable, CaseIterable {
    /// To make the first administrator of a new server.
    case setUp = "setup"
    /// To take up an account.
    case invitation
    /// To choose a new password.
    case reset

    /// The page that the link leads to.
    public var path: String {
        switch self {
        case .setUp: "/set-up"
        case .invitation: "/invitation"
        case .reset: "/new-password"
        }
    }

    /// The word in the secret's text.
    var kind: String { rawValue }

    /// How long it counts.
    var life: Duration {
        switch self {
        case .setUp: .seconds(SignInLimits.setUpHours * 3600)
        case .invitation: .seconds(SignInLimits.invitationDays * 86_400)
        case .reset: .seconds(SignInLimits.resetHours * 3600)
        }
    }
}

/// A single-use link as it is handed out.
public struct NewLink: Sendable, Hashable {
    /// The whole address, shown once and stored nowhere.
    public let url: String
    /// When it ends.
    public let expires: Timestamp
}

/// What a link leads to, for the page that asks for a password.
public struct LinkTarget: Sendable, Hashable {
    /// What it is for.
    public let purpose: LinkPurpose
    /// Whose account it is about; nil for the set-up of a server.
    public let account: Account?
    /// When it ends.
    public let expires: Timestamp
}
