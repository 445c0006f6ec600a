import Access
import Base
import Delivery
import HTTPTypes
import Northbound
import OAuth
import SignIn
import Storage

/// A person's own pages: how they sign in, their sessions, what they may do, and which programs act for them.
extension PageTable {
    static func profile(_ console: ConsoleParts) -> [Page] {
        [
            .signedIn("/profile") { visit in .show(try await ProfilePage(console, visit)) },
            .signedIn(posting: "/profile/factors/{factor}") { visit in
                try await changeFactor(console, visit)
            },
            .signedIn("/profile/factors/new") { visit in
                try await enrolment(console, visit, (.choice, nil))
            },
            .signedIn(posting: "/profile/factors/new") { visit in
                try await enrolment(console, visit, desk(console, visit).enrol())
            },
            .signedIn(posting: "/profile/passkey-options") { visit in
                await desk(console, visit).passkeyOptions()
            },
            .signedIn(posting: "/profile/recovery-codes") { visit in
                guard visit.form.has("sure") else {
                    return .show(
                        ProfileConfirmPage(
                            title: "Make new recovery codes?",
                            effect: "You get ten new codes. The earlier ones count no longer.",
                            address: "/profile/recovery-codes", act: "make", verb: "Make new codes",
                            back: "/profile"))
                }
                let codes = try await console.factors.makeRecoveryCodes(for: .signedIn(visit.principal))
                return .show(RecoveryPage(codes, of: console.addresses.host, next: "/profile?done=created"))
            },
            .signedIn("/profile/password") { visit in .show(try await passwordPage(console, visit)) },
            .signedIn(posting: "/profile/password") { visit in
                do {
                    try await console.signIn.changePassword(
                        from: visit.form.exact("current"), to: visit.form.exact("password"),
                        by: visit.principal,
                        origin: visit.visit.origin)
                    return .seeOther("/profile", done: .ownPasswordChanged)
                } catch let refusal as Refusal where refusal.kind != .unauthenticated {
                    var page = try await passwordPage(console, visit)
                    page.fault = ([refusal.message] + refusal.faults.map(\.message)).joined(separator: " ")
                    return .page(page, status: refusal.kind.status)
                }
            },
            .signedIn("/profile/sessions") { visit in .show(try await SessionsPage(console, visit)) },
            .signedIn(posting: "/profile/sessions") { visit in try await endSessions(console, visit) },
            .signedIn("/profile/reach") { visit in .show(try await OwnReachPage(console, visit)) },
            .signedIn("/profile/programs") { visit in .show(try await ProgramsPage(console, visit)) },
            .signedIn(posting: "/profile/programs") { visit in
                try await console.oauth.disconnect(visit.form.text("id") ?? "", by: visit.principal)
                return .seeOther("/profile/programs", done: .programEnded)
            },
        ]
    }

    private static func desk(_ console: ConsoleParts, _ visit: SignedVisit) -> FactorDesk {
        let next = next(visit)
        return FactorDesk(
            console: console, visit: visit.visit, subject: .signedIn(visit.principal),
            places: .init(
                proof: "/prove", enrolment: "/profile/factors/new", passkeyOptions: "/profile/passkey-options",
                back: next ?? "/profile"), hidden: next.map { [HiddenField(name: "next", value: $0)] } ?? [])
    }

    /// Where somebody goes on who sets up a factor on their way, as the first administrator does.
    private static func next(_ visit: SignedVisit) -> String? {
        (visit.form.text("next") ?? visit.query.text("next")).map { LocalAddress($0).text }
    }

    private static func enrolment(
        _ console: ConsoleParts, _ visit: SignedVisit, _ reached: (state: EnrolState, fault: Refusal?)
    ) async throws -> Outcome {
        let next = next(visit)
        if case .done(let confirmation) = reached.state {
            guard confirmation.recoveryCodes.isEmpty else {
                return .show(
                    RecoveryPage(
                        confirmation.recoveryCodes, of: console.addresses.host,
                        next: next ?? "/profile?done=\(Done.factorAdded.rawValue)"))
            }
            return .seeOther(next ?? "/profile", done: .factorAdded)
        }
        var page = try await desk(console, visit).enrolPage(
            reached.state, fault: reached.fault, title: next == nil ? "Add a factor" : "Protect your account",
            lead: next == nil
                ? "It is asked for beside your password from then on."
                : "So far the password alone lets you in. A second factor keeps out whoever learns it.",
            leave: next == nil ? "Back to your profile" : "Not now")
        if try await !console.delivery.can(.sms, for: visit.principal.tenant) {
            page.choices.removeAll { $0.method == FactorMethod.sms.rawValue }
        }
        return .page(page, status: reached.fault?.kind.status ?? .ok)
    }

    private static func changeFactor(_ console: ConsoleParts, _ visit: SignedVisit) async throws -> Outcome {
        let factors = console.factors
        let own = try await factors.overview(of: visit.principal).factors
        // Somebody else's is as absent as one that there is not.
        guard let factor = own.first(where: { $0.id.text == visit.visit.path("factor") }) else {
            throw Refusal(.notFound, "factor.unknown", "You have no such factor.")
        }
        do {
            switch visit.form.text("act") {
            case "rename":
                _ = try await factors.rename(
                    factor.id, to: visit.form.text("name") ?? "", by: visit.principal)
                return .seeOther("/profile", done: .saved)
            case "remove" where visit.form.has("sure"):
                try await factors.remove(factor.id, by: visit.principal)
                return .seeOther("/profile", done: .removed)
            case "remove":
                let last = own.count == 1
                return .show(
                    ProfileConfirmPage(
                        title: "Remove “\(factor.name)”?",
                        effect: last
                            ? "It is your last factor: your password alone lets you in then, and your recovery codes end."
                            : "It lets you in no longer. Your other factors stay.",
                        address: "/profile/factors/\(factor.id)", act: "remove", verb: "Remove",
                        back: "/profile"))
            default: throw Refusal(.invalid, "act.unknown", "There is no such action.")
            }
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
            var page = try await ProfilePage(console, visit)
            page.fault = refusal.message
            return .page(page, status: refusal.kind.status)
        }
    }

    private static func passwordPage(_ console: ConsoleParts, _ visit: SignedVisit) async throws
        -> ProfilePasswordPage
    {
        let rules = try await console.signIn.passwordRules(of: visit.principal)
        return ProfilePasswordPage(
            account: try await console.account(of: visit.principal).address.text,
            rules: Rule.all(rules, typed: ""))
    }

    private static func endSessions(_ console: ConsoleParts, _ visit: SignedVisit) async throws
        -> Outcome
    {
        let principal = visit.principal
        let id = visit.form.text("id")
        guard visit.form.text("act") == "others" || id != nil else {
            throw Refusal(.invalid, "act.unknown", "There is no such action.")
        }
        let session = id.flatMap { CredentialID(text: $0) }
        guard id == nil || session != nil else {
            throw Refusal(.notFound, "session.unknown", "You have no such session.")
        }
        try await console.signIn.endSessions(
            of: principal.id.text, session, tenant: principal.tenant, by: principal)
        if session != nil, session == principal.credential?.id {
            return .signedOut(to: "/sign-in?done=\(Done.signedOut.rawValue)")
        }
        return .seeOther("/profile/sessions", done: .sessionsEnded)
    }
}
