package import Storage
import Synchronization

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
    /// Give rights: roles, grants, membership in groups, shares, and approving of such changes.
    case rights = "rights.give"
    /// Make credentials of programs.
    case credentials = "credential.make"
    /// End a certificate, or a device's access for good.
    case certificates = "certificate.end"
    /// Make new keys.
    case keys = "key.rotate"
    /// Delete a tenant with all that it has.
    case tenants = "tenant.delete"

    /// What it is, for the page that asks for a proof.
    public var sentence: String {
        switch self {
        case .factorEnrolment: "set up a factor"
        case .factorRemoval: "remove a factor"
        case .accounts: "change somebody's account"
        case .signInPolicy: "change how people sign in"
        case .rights: "give rights"
        case .credentials: "make credentials for programs"
        case .certificates: "end a device's access for good"
        case .keys: "make new keys"
        case .tenants: "delete a tenant"
        }
    }
}

/// Refuses a dangerous act of a person who has not proved themselves a short while ago.
///
/// Rights are decided here and proofs are sign-in's, which says how it looks when it is put together; a server without
/// it has no people and so nobody to ask.
package final class RecentProof: Sendable {
    /// Refuses, or lets pass.
    package typealias Check = @Sendable (Principal, DangerousAct, Transaction) throws -> Void

    private let check = Mutex<Check?>(nil)

    /// Says how it is looked for.
    package func set(_ check: @escaping Check) { self.check.withLock { $0 = check } }

    /// Refuses, unless `principal` has proved themselves a short while ago or is nobody whom one can ask.
    package func require(_ principal: Principal, for act: DangerousAct, in tx: Transaction) throws {
        try check.withLock { $0 }?(principal, act, tx)
    }
}
