import Access
import Base
import HTTPTypes
import Northbound
import SignIn
import Storage

/// What follows the password, or stands in for it: factors, and what else a sign-in still needs.
extension PageTable {
    static func signingOn(_ console: ConsoleParts) -> [Page] {
        [
            .open(posting: "/sign-in/factor") { visit in
                try await waiting(console, visit) { desk, pending, next in
                    if let state = try await desk.prove() {
                        return try await goOn(
                            try await console.signIn.finish(pending, from: visit.origin), console, visit, to: next,
                            proof: state)
                    }
                    return try await goOn(
                        try await console.signIn.finish(pending, from: visit.origin), console, visit, to: next)
                }
            },
            .open(posting: "/sign-in/enrol") { visit in
                try await waiting(console, visit) { desk, pending, next in
                    let (state, fault) = try await desk.enrol()
                    if case .done(let confirmation) = state, !confirmation.recoveryCodes.isEmpty {
                        return .show(
                            RecoveryPage(
                                confirmation.recoveryCodes, of: console.addresses.host, action: "/sign-in/go-on",
                                hidden: desk.hidden))
                    }
                    return try await goOn(
                        try await console.signIn.finish(pending, from: visit.origin), console, visit, to: next,
                        enrolment: (state, fault))
                }
            },
            .open(posting: "/sign-in/go-on") { visit in
                try await waiting(console, visit) { _, pending, next in
                    try await goOn(
                        try await console.signIn.finish(pending, from: visit.origin), console, visit, to: next)
                }
            },
            .open(posting: "/sign-in/passkey") { visit in
                let next = LocalAddress(visit.form.text("next") ?? "/").text
                do {
                    let answer = try FactorDesk.passkeyAnswer(in: visit.form)
                    let pending = try await console.factors.begin(passkey: answer, from: visit.origin)
                    return try await goOn(
                        try await console.signIn.finish(pending, from: visit.origin), console, visit, to: next)
                } catch let refusal as Refusal {
                    return refused(refusal, console, visit, to: next)
                }
            },
            .open(posting: "/sign-in/passkey-options") { visit in
                if let pending = PendingSecret(visit.form.exact("pending")) {
                    return await FactorDesk(console, visit, signingIn: pending, to: "/").passkeyOptions()
                }
                return await FactorDesk.asJSON { try await console.factors.passkeyRequest() }
            },
        ]
    }

    /// The next page of a sign-in, wherever it came from.
    static func goOn(
        _ step: Step, _ console: ConsoleParts, _ visit: Visit, to next: String, proof: ProofState = ProofState(),
        enrolment: (state: EnrolState, fault: Refusal?) = (.choice, nil)
    ) async throws -> Outcome {
        switch step {
        case .done(let secret): return .signedIn(secret: secret.text, to: LocalAddress(next).text)
        case .newPassword(let pending): return .show(try await choose(console, visit, pending: pending, to: next))
        case .factor(let pending, let methods):
            let page = try await FactorDesk(console, visit, signingIn: pending, to: next).proofPage(
                methods, proof, title: "One more step", lead: "That was right so far. Now prove that it is you.")
            return .page(page, status: proof.fault?.kind.status ?? .ok)
        case .enrolFactor(let pending):
            let page = try await FactorDesk(console, visit, signingIn: pending, to: next).enrolPage(
                enrolment.state, fault: enrolment.fault, title: "Set up a second factor",
                lead: "Your organisation asks for one beside the password. It takes a minute.",
                leave: "Back to the sign-in")
            return .page(page, status: enrolment.fault?.kind.status ?? .ok)
        }
    }

    /// Lets a sign-in that waits go on; one that has ended begins anew.
    private static func waiting(
        _ console: ConsoleParts, _ visit: Visit,
        _ act: (FactorDesk, PendingSecret, String) async throws -> Outcome
    ) async throws -> Outcome {
        let next = LocalAddress(visit.form.text("next") ?? "/").text
        do {
            guard let pending = PendingSecret(visit.form.exact("pending")) else {
                throw Refusal(.unauthenticated, "signin.ended", "This sign-in has ended. Begin again.")
            }
            return try await act(FactorDesk(console, visit, signingIn: pending, to: next), pending, next)
        } catch let refusal as Refusal where refusal.kind == .unauthenticated {
            return refused(refusal, console, visit, to: next)
        }
    }

    /// The sign-in page with what was wrong.
    private static func refused(
        _ refusal: Refusal, _ console: ConsoleParts, _ visit: Visit, to next: String
    ) -> Outcome {
        var page = SignInPage(console, visit, to: next)
        page.fault = refusal.message
        return .page(page, status: refusal.kind.status)
    }
}

extension SignInPage {
    /// The page for somebody who wants to go on to `next`.
    init(_ console: ConsoleParts, _ visit: Visit, to next: String) {
        self.init(place: console.addresses.host)
        self.next = LocalAddress(next).text
        ended = visit.ended?.message
        takesPasskeys = console.factors.passkeysWork(at: visit.pageOrigin)
        hint =
            console.names.contains(visit.hostName)
            ? nil : "You came by “\(visit.hostName)”, which is not in this server's certificate."
    }
}
