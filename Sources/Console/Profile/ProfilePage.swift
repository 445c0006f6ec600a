import Access
import Base
import Northbound
import SignIn

/// How somebody signs in: who they are here, their factors, recovery codes and password.
struct ProfilePage: ProfileView {
    static let template = "profile"

    struct OwnFactor: Sendable {
        let id: String
        let name: String
        /// What it is, unless its name says so.
        let method: String?
        let detail: String?
        let created: Moment
        let used: Moment?
        let address: String
    }

    let title = "Your profile"
    let tabs = ProfileTab.all(at: .factors)
    let name: String
    let address: String
    let organisation: String
    let factors: [OwnFactor]
    let hasFactors: Bool
    /// What is demanded, in a sentence.
    let demanded: String?
    /// How many recovery codes are left, in words; nil for who has no factor.
    let recovery: String?
    let hasPassword: Bool
    var fault: String?
}

extension ProfilePage {
    init(_ console: ConsoleParts, _ visit: SignedVisit) async throws {
        let account = try await console.account(of: visit.principal)
        let overview = try await console.factors.overview(of: visit.principal)
        name = account.name
        address = account.address.text
        organisation = console.access.directory.tenant(account.tenant)?.name ?? ""
        factors = overview.factors.map { factor in
            OwnFactor(
                id: factor.id.text, name: factor.name,
                method: factor.name == factor.method.title ? nil : factor.method.title,
                detail: factor.numberEnd.map { "number that ends in \($0)" },
                created: Moment(factor.created),
                used: Moment(factor.lastUsed), address: "/profile/factors/\(factor.id)")
        }
        hasFactors = !overview.factors.isEmpty
        demanded =
            switch overview.level {
            case .none: nil
            case .any: "Your organisation asks for a second factor."
            case .code: "Your organisation asks for an authenticator or a passkey."
            case .passkey: "Your organisation asks for a passkey."
            }
        let left = overview.recoveryCodes
        recovery =
            overview.factors.isEmpty
            ? nil : left == 1 ? "1 recovery code is left." : "\(left) recovery codes are left."
        hasPassword = account.hasPassword
    }
}

/// Changes one's own password.
struct ProfilePasswordPage: ProfileView {
    static let template = "profile-password"
    let title = "Change your password"
    let tabs = ProfileTab.all(at: .factors)
    let account: String
    let rules: [Rule]
    var fault: String?
}

/// Asks once more before something of one's own is taken away.
struct ProfileConfirmPage: ProfileView {
    static let template = "confirm"
    let title: String
    let effect: String
    let address: String
    let act: String
    let verb: String
    let back: String
    /// What one does with one's own things needs no reason; the template knows of one.
    var reason: ConfirmPage.Reason?
}

extension ConsoleParts {
    /// The visitor's own account.
    func account(of principal: Principal) async throws -> Account {
        try await signIn.account(principal.id.text, tenant: principal.tenant, by: principal)
    }
}
