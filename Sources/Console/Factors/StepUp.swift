import Access
import Base
import HTTPTypes
import HummingbirdCore
import Northbound
import SignIn
import Storage

/// What somebody was about to do when a recent proof was asked of them: it goes on once they gave it.
struct Interrupted: Sendable {
    /// The address they asked for.
    let place: LocalAddress
    /// The form that they sent there; nil when they only looked.
    let form: String?
    /// Where they came from.
    let back: LocalAddress

    /// A request that was refused.
    init(_ visit: Visit) {
        let origin = visit.pageOrigin
        let referrer = visit.request.headers[.referer].flatMap { text in
            text.hasPrefix(origin + "/") ? String(text.dropFirst(origin.count)) : nil
        }
        back = LocalAddress(referrer ?? "/")
        let text = visit.form.text(without: "form-token")
        switch visit.request.method {
        case .post where text.utf8.count <= ConsoleLimits.interruptedBytes:
            (place, form) = (LocalAddress(visit.place), text)
        case .post: (place, form) = (back, nil)
        default: (place, form) = (LocalAddress(visit.place), nil)
        }
    }

    /// What a page that asks for a proof has carried on.
    init(carriedBy fields: FormFields) {
        place = LocalAddress(fields.text("place") ?? "/")
        form = fields.has("form") ? fields.exact("form") : nil
        back = LocalAddress(fields.text("back") ?? "/")
    }

    /// The fields by which a form carries it on.
    var fields: [HiddenField] {
        [HiddenField(name: "place", value: place.text), HiddenField(name: "back", value: back.text)]
            + (form.map { [HiddenField(name: "form", value: $0)] } ?? [])
    }
}

/// Sends once more what was interrupted.
struct AgainPage: PageView {
    static let template = "gate-again"
    let title = "Thank you"
    let action: String
    let fields: [HiddenField]
    let back: String
}

extension FactorDesk {
    /// Where somebody who is signed in proves themselves once more.
    init(_ console: ConsoleParts, _ visit: Visit, _ principal: Principal, _ interrupted: Interrupted) {
        self.init(
            console: console, visit: visit, subject: .signedIn(principal),
            places: Places(
                proof: "/prove", enrolment: "/profile/factors/new", passkeyOptions: "/prove/passkey-options",
                back: interrupted.back.text),
            hidden: interrupted.fields)
    }

    /// The page that asks for one of the visitor's factors, or for the password when they have none.
    func stepUpPage(_ state: ProofState, lead: String) async throws -> ProofPage {
        let overview = try await factors.overview(for: subject)
        let owned = Set(overview.factors.map(\.method))
        let methods = FactorMethod.allCases.filter { method in
            method == .recovery ? !owned.isEmpty && overview.recoveryCodes > 0 : owned.contains(method)
        }
        var page = try await proofPage(methods, state, title: "Prove that it is you", lead: lead)
        if methods.isEmpty, case .signedIn(let principal) = subject,
            try await !console.account(of: principal).hasPassword
        {
            page.password = false
            page.fault =
                "You have neither a factor nor a password here: sign out and in again, which counts as a proof."
        }
        return page
    }
}

extension PageTable {
    /// The code of a refusal that a recent proof lifts.
    static let stepUp = "signin.stepUp"

    /// Proving oneself once more within a session. Every page gets here by itself: a refusal with the code
    /// `signin.stepUp` is answered with the page that asks, and what was interrupted goes on afterwards.
    static func stepUp(_ console: ConsoleParts) -> [Page] {
        [
            .signedIn(posting: "/prove") { visit in
                let interrupted = Interrupted(carriedBy: visit.form)
                let desk = FactorDesk(console, visit.visit, visit.principal, interrupted)
                if let state = try await desk.prove() {
                    let page = try await desk.stepUpPage(
                        state, lead: "It counts for \(SignInLimits.recentMinutes) minutes.")
                    return .page(page, status: state.fault?.kind.status ?? .ok)
                }
                guard let text = interrupted.form, let form = FormFields(text) else {
                    return .seeOther(interrupted.place.text)
                }
                return .show(
                    AgainPage(
                        action: interrupted.place.text,
                        fields: form.pairs.map { HiddenField(name: $0.name, value: $0.value) },
                        back: interrupted.back.text))
            },
            .signedIn(posting: "/prove/passkey-options") { visit in
                await FactorDesk(console, visit.visit, visit.principal, Interrupted(carriedBy: visit.form))
                    .passkeyOptions()
            },
        ]
    }

    /// The page that lifts this refusal, when a proof does.
    static func lifting(_ error: any Error, _ console: ConsoleParts, _ visit: Visit) async throws -> ProofPage? {
        guard let refusal = error as? Refusal, refusal.code == stepUp, let visitor = visit.visitor else { return nil }
        return try await FactorDesk(console, visit, visitor.principal, Interrupted(visit)).stepUpPage(
            ProofState(), lead: refusal.message)
    }
}
