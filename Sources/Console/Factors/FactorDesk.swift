import Access
import Base
import Northbound
import SignIn
import Storage

/// Where somebody proves themselves or sets a factor up: in the middle of signing in, or within their session. The same
/// pages serve both; they differ in whose factors they are and in where the forms go.
struct FactorDesk: Sendable {
    let console: ConsoleParts
    let visit: Visit
    let subject: FactorSubject
    /// Where the forms go, and where the script asks for a passkey's ceremony.
    let places: Places
    /// What each form carries on.
    let hidden: [HiddenField]

    struct Places: Sendable {
        let proof: String
        let enrolment: String
        let passkeyOptions: String
        /// Where the way out leads.
        let back: String
    }

    var factors: Factors { console.factors }

    /// The desk of a sign-in that waits.
    ///
    /// The forms carry the sign-in's secret, in no address and no cookie: so two sign-ins beside each other do not mix,
    /// nothing stays in the browser when somebody gives up, and no request brings it but those that these pages send.
    init(_ console: ConsoleParts, _ visit: Visit, signingIn pending: PendingSecret, to next: String) {
        self.init(
            console: console, visit: visit, subject: .signingIn(pending, visit.origin),
            places: Places(
                proof: "/sign-in/factor", enrolment: "/sign-in/enrol", passkeyOptions: "/sign-in/passkey-options",
                back: "/sign-in"),
            hidden: [
                HiddenField(name: "pending", value: pending.text),
                HiddenField(name: "next", value: LocalAddress(next).text),
            ])
    }

    init(
        console: ConsoleParts, visit: Visit, subject: FactorSubject, places: Places, hidden: [HiddenField]
    ) {
        self.console = console
        self.visit = visit
        self.subject = subject
        self.places = places
        self.hidden = hidden
    }

    /// Where passkeys work instead, when they do not at the address by which the visitor came.
    var passkeysElsewhere: String? {
        factors.passkeysWork(at: visit.pageOrigin) ? nil : factors.passkeyPlace(of: visit.realm)
    }

    /// What the browser's passkey ceremony is to be given, or what is wrong, as the script takes it.
    func passkeyOptions() async -> Outcome {
        await Self.asJSON {
            visit.form.text("ceremony") == "create"
                ? try await factors.beginPasskey(for: subject) : try await factors.passkeyRequest(for: subject)
        }
    }

    /// The script shows a refusal's sentence where it asked.
    static func asJSON(_ act: () async throws -> JSONValue) async -> Outcome {
        do {
            return .answer(.ok(try await act()))
        } catch let refusal as Refusal {
            return .answer(.ok(["fault": .string(refusal.message)]))
        } catch {
            return .answer(.ok(["fault": "The server failed. Try again, or use another method."]))
        }
    }

    /// The answer of a browser's ceremony in a form.
    func passkeyAnswer() throws -> PasskeyAnswer { try Self.passkeyAnswer(in: visit.form) }

    static func passkeyAnswer(in form: FormFields) throws -> PasskeyAnswer {
        let text = form.exact("answer")
        guard text.utf8.count <= ConsoleLimits.passkeyBytes, let json = try? JSONValue(parsing: Array(text.utf8)) else {
            throw Refusal(.invalid, "passkey.form", "This is not what a browser's passkey ceremony gives.")
        }
        return try PasskeyAnswer(json)
    }
}

/// One field that a form carries on without showing it.
struct HiddenField: Sendable {
    let name: String
    let value: String
}
