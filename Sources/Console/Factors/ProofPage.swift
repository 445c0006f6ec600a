import Access
import Base
import SignIn

/// Asks for a factor, or for the password of who has none.
struct ProofPage: PageView {
    static let template = "gate-proof"

    struct Passkey: Sendable {
        /// Where the script asks for the ceremony.
        let options: String
        /// Where passkeys work instead; nil when they do here.
        let elsewhere: String?
    }

    struct Code: Sendable {
        let method: String
        let label: String
        let hint: String
        /// What keys a telephone shows for it.
        let mode: String
        let autocomplete: String
        let sent: Sent?
        /// What is asked for another code; nil for codes that nobody sends.
        let again: Resend?
    }

    struct Sent: Sendable {
        let numberEnd: String
        let seconds: String
    }

    struct Resend: Sendable {
        let telephone: String
        let numberEnd: String
        /// Seconds before another one is sent; empty when nobody knows.
        let pause: String
    }

    /// A text message that is still to be asked for.
    struct Send: Sendable {
        let telephone: String
        let numberEnd: String
        let caution: String
    }

    /// Another way to prove oneself.
    struct Other: Sendable {
        let method: String
        let act: String
        let telephone: String
        let label: String
        let detail: String?
    }

    let title: String
    let lead: String
    let action: String
    let hidden: [HiddenField]
    var fault: String?
    var passkey: Passkey?
    var code: Code?
    var send: Send?
    var password = false
    let others: [Other]
    let hasOthers: Bool
    /// What to do when everything is lost.
    let lost: String?
    let back: String
}

/// How far somebody is in proving themselves: what they chose, what was sent, what was wrong.
struct ProofState: Sendable {
    var method: FactorMethod?
    /// The telephone that a code goes to.
    var telephone: String?
    /// The code that was sent just now.
    var sent: SentCode?
    /// Whether a code was sent before, so that one can be typed.
    var awaitsCode = false
    var fault: Refusal?
}

extension FactorDesk {
    /// The page that asks for one of these methods; for the password when there is none.
    func proofPage(
        _ methods: [FactorMethod], _ state: ProofState, title: String, lead: String
    ) async throws -> ProofPage {
        let telephones =
            methods.contains(.sms)
            ? try await factors.overview(for: subject).factors.filter { $0.method == .sms } : []
        // A passkey is not asked for first where it does not work.
        let first = methods.first { $0 != .passkey || passkeysElsewhere == nil } ?? methods.first
        let chosen = state.method.flatMap { methods.contains($0) ? $0 : nil } ?? first
        let telephone = telephones.first { $0.id.text == state.telephone } ?? telephones.first
        let others = methods.flatMap { method -> [ProofPage.Other] in
            guard method == .sms else { return method == chosen ? [] : [ProofPage.Other(method)] }
            return telephones.filter { chosen != .sms || $0.id != telephone?.id }.map(ProofPage.Other.init)
        }
        var page = ProofPage(
            title: title, lead: lead, action: places.proof, hidden: hidden, fault: state.fault?.message,
            others: others, hasOthers: !others.isEmpty,
            lost: methods.isEmpty
                ? nil : "Lost all of them? An administrator can reset your factors; then you set up new ones.",
            back: places.back)
        switch chosen {
        case .passkey: page.passkey = .init(options: places.passkeyOptions, elsewhere: passkeysElsewhere)
        case .totp: page.code = .authenticator
        case .recovery: page.code = .recovery
        case .sms:
            let (id, end) = (telephone?.id.text ?? "", telephone?.numberEnd ?? "")
            if state.sent != nil || state.awaitsCode {
                page.code = .telephone(id, end, state.sent)
            } else {
                page.send = .init(telephone: id, numberEnd: end, caution: Factors.telephoneCaution)
            }
        case nil: page.password = true
        }
        return page
    }

    /// Does what a form of the page asks for; answers what the page then shows, or nil once the proof counts.
    func prove() async throws -> ProofState? {
        let form = visit.form
        var state = ProofState(method: form.text("method").flatMap { FactorMethod(rawValue: $0) })
        state.telephone = form.text("telephone")
        do {
            switch (form.text("act"), state.method) {
            case ("send", .sms):
                state.awaitsCode = form.has("again")
                state.sent = try await factors.sendCode(
                    to: state.telephone.flatMap { FactorID(text: $0) }, for: subject)
            case ("prove", let method?):
                state.awaitsCode = method == .sms
                let code = form.text("code") ?? ""
                let proof: FactorProof =
                    switch method {
                    case .totp: .totp(code)
                    case .sms: .sms(code)
                    case .recovery: .recovery(code)
                    case .passkey: .passkey(try passkeyAnswer())
                    }
                try await factors.prove(proof, for: subject)
                return nil
            case ("prove", nil):
                guard case .signedIn(let principal) = subject else { return state }
                try await factors.prove(
                    password: form.exact("password"), by: principal, from: visit.origin)
                return nil
            default: break
            }
        } catch let refusal as Refusal where refusal.kind != .unauthenticated {
            // Whoever had a code sent a moment ago can still type it.
            if refusal.code == "factor.sent" { state.awaitsCode = true }
            state.fault = refusal
        }
        return state
    }
}

extension ProofPage.Code {
    static let authenticator = Self(
        method: FactorMethod.totp.rawValue, label: "Code from your authenticator",
        hint: "Six digits; a new one every 30 seconds.", mode: "numeric", autocomplete: "one-time-code", sent: nil,
        again: nil)

    static let recovery = Self(
        method: FactorMethod.recovery.rawValue, label: "Recovery code",
        hint: "One of the codes that you kept for when a factor is lost. Each is good once.", mode: "text",
        autocomplete: "off", sent: nil, again: nil)

    static func telephone(_ id: String, _ end: String, _ sent: SentCode?) -> Self {
        Self(
            method: FactorMethod.sms.rawValue, label: "Code from the text message",
            hint: "Six letters and digits. Nobody will ever ask you for it.", mode: "text",
            autocomplete: "one-time-code",
            sent: sent.map { .init(numberEnd: $0.numberEnd, seconds: String($0.seconds)) },
            again: .init(
                telephone: id, numberEnd: end, pause: sent == nil ? "" : String(SignInLimits.textPauseSeconds)))
    }
}

extension ProofPage.Other {
    fileprivate init(_ method: FactorMethod) {
        self.init(
            method: method.rawValue, act: "choose", telephone: "", label: method.title,
            detail: method == .recovery ? "when your factor is lost" : nil)
    }

    /// A code is sent by choosing it.
    fileprivate init(_ telephone: Factor) {
        self.init(
            method: FactorMethod.sms.rawValue, act: "send", telephone: telephone.id.text, label: "Text message",
            detail: "to the number that ends in \(telephone.numberEnd ?? "")")
    }
}
