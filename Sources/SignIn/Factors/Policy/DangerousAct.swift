/// Every act for which a session must have been proved a short while ago, and not only at some time today: this is the
/// one list.
public enum DangerousAct: String, Sendable, CaseIterable {
    /// Set up a factor or make recovery codes.
    case factorEnrolment = "factor.enrol"
    /// Remove a factor.
    case factorRemoval = "factor.remove"
    /// Disable or reset somebody's account.
    case accounts = "account.manage"
    /// Change who may sign in how.
    case signInPolicy = "signin.policy"

    /// What it is, for the page that asks for a proof.
    public var sentence: String {
        switch self {
        case .factorEnrolment: "set up a factor"
        case .factorRemoval: "remove a factor"
        case .accounts: "change somebody's account"
        case .signInPolicy: "change how people sign in"
        }
    }
}
