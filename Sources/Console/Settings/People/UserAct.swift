import Access
import Base
import Northbound
import SignIn

/// What can be done about somebody's account, each after its effect was told.
enum UserAct: String, CaseIterable, Sendable {
    case link, disable, enable
    case resetFactors = "reset-factors"
    case endSessions = "end-sessions"

    /// The act that the path names.
    static func named(_ visit: SettingsVisit) throws -> UserAct {
        guard let act = UserAct(rawValue: visit.path("act")) else { throw Gatekeeper.notHere }
        return act
    }

    var verb: String {
        switch self {
        case .link: "New link"
        case .disable: "Disable"
        case .enable: "Enable"
        case .resetFactors: "Reset factors"
        case .endSessions: "End sessions"
        }
    }

    var isDangerous: Bool { self == .disable || self == .resetFactors }

    /// Whether it makes sense for this account.
    func suits(_ account: Account, by principal: Principal) -> Bool {
        let isOwn = account.principal == principal.id
        return switch self {
        case .link: account.status != .disabled
        case .disable: account.status != .disabled && !isOwn
        case .enable: account.status == .disabled
        case .resetFactors: account.status == .active && !isOwn
        case .endSessions: account.status == .active
        }
    }

    private func effect(_ account: Account) -> String {
        switch self {
        case .link where account.status == .invited:
            "A new link by which \(account.name) takes up the account. The one before counts no longer."
        case .link:
            "A link by which \(account.name) chooses a new password, for an hour. When it is used, all their sessions "
                + "end. A link before it counts no longer."
        case .disable:
            "\(account.name) is signed out everywhere at once and can not sign in until somebody enables the account. "
                + "Their roles wait."
        case .enable: "\(account.name) can sign in again, with the roles from before."
        case .resetFactors:
            "All factors and recovery codes of \(account.name) are taken away and their sessions end. The next sign-in "
                + "takes the password alone, or has them set up a factor where one is demanded. They are told by mail."
        case .endSessions: "\(account.name) is signed out everywhere at once and can sign in again."
        }
    }

    func form(_ visit: SettingsVisit) async throws -> SettingsForm {
        if self != .endSessions { try await visit.requireRecent(.accounts) }
        let account = try await visit.console.signIn.account(
            visit.path("user"), tenant: visit.tenantID, by: visit.principal)
        let address = visit.address(account.principal.text)
        return SettingsForm(
            visit.place, "\(verb): \(account.name)", effect: effect(account), action: "\(address)/\(rawValue)",
            fields: self == .resetFactors ? [.reason(visit.form, isRequired: true)] : [], verb: verb,
            isDangerous: isDangerous, back: address, crumb: .init(place: account.name, way: address))
    }

    func run(_ visit: SettingsVisit) async throws -> Outcome {
        let (console, user, tenant, principal) = (visit.console, visit.path("user"), visit.tenantID, visit.principal)
        let address = visit.address(user)
        return try await form(visit).answering {
            switch self {
            case .link:
                let made = try await console.signIn.renewLink(of: user, tenant: tenant, by: principal)
                return UserPages.handed(made, visit, "A link for \(made.account.name)", done: .linkMailed)
            case .disable, .enable:
                _ = try await console.signIn.setActive(
                    self == .enable, user: user, tenant: tenant, by: principal)
                return .seeOther(address, done: self == .enable ? .enabled : .disabled)
            case .resetFactors:
                try await console.factors.reset(
                    user, reason: visit.reason ?? "", tenant: tenant, by: principal)
                return .seeOther(address, done: .factorsReset)
            case .endSessions:
                try await console.signIn.endSessions(of: user, tenant: tenant, by: principal)
                return .seeOther(address, done: .sessionsEnded)
            }
        }
    }
}
