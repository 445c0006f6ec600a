import Access
import Base
import Northbound
import SignIn

/// Sets a factor up: a choice of methods, then the steps of the one that was chosen.
struct EnrolPage: PageView {
    static let template = "gate-enrol"

    struct Choice: Sendable {
        let method: String
        let label: String
        let detail: String
        let isWeak: Bool
    }

    struct Passkey: Sendable {
        /// Where the script asks for the ceremony.
        let options: String
        /// Where passkeys work instead; nil when they do here.
        let elsewhere: String?
    }

    struct Authenticator: Sendable {
        let factor: String
        let secret: String
        /// The secret in groups of four, for typing.
        let grouped: String
        let address: String
        /// The QR code as the address of a picture.
        let picture: String?
    }

    struct Telephone: Sendable {
        let number: String
        let caution: String
    }

    struct Sent: Sendable {
        let factor: String
        let number: String
        let numberEnd: String
        /// For how long the code is good; nil when it was sent before.
        let seconds: String?
        let pause: String
    }

    let title: String
    let lead: String
    let action: String
    let hidden: [HiddenField]
    /// What the factor shall be called.
    var name = ""
    var fault: String?
    var choices: [Choice] = []
    var hasChoices = false
    var passkey: Passkey?
    var authenticator: Authenticator?
    var telephone: Telephone?
    var sent: Sent?
    /// Whether another method can be chosen from here.
    var canChooseAgain = false
    let back: String
    /// What the way out is called.
    let leave: String
}

/// Shows recovery codes, this once.
struct RecoveryPage: PageView {
    static let template = "gate-recovery"
    let title = "Keep your recovery codes"
    let lead: String
    /// The codes, for keeping.
    let text: String
    /// The form that goes on; nil where a link does.
    var action: String?
    var hidden: [HiddenField] = []
    /// The link that goes on; nil where a form does.
    var next: String?

    init(_ codes: [String], of account: String, action: String? = nil, hidden: [HiddenField] = [], next: String? = nil)
    {
        lead =
            "Each of these stands in once for a lost factor. Print them or keep them in a password manager: nobody can "
            + "show them again."
        text = "Recovery codes for \(account)\n\n" + codes.joined(separator: "\n") + "\n"
        self.action = action
        self.hidden = hidden
        self.next = next
    }
}

/// How far somebody is in setting a factor up.
enum EnrolState: Sendable {
    /// Choosing.
    case choice
    /// The browser makes a passkey.
    case passkey
    /// The program waits for being told the secret, and we for its first code.
    case authenticator(id: String, secret: String, address: String)
    /// A telephone's number is asked for.
    case telephone(number: String)
    /// A code is on its way; the seconds are known only when it was sent just now.
    case sent(id: String, number: String, end: String, seconds: Int?)
    /// It counts.
    case done(FactorConfirmation)
}

extension FactorDesk {
    /// The page for this state. A method that would not be enough for what is demanded is not offered.
    func enrolPage(
        _ state: EnrolState, fault: Refusal? = nil, title: String, lead: String, leave: String
    ) async throws -> EnrolPage {
        var page = EnrolPage(
            title: title, lead: lead, action: places.enrolment, hidden: hidden, name: visit.form.text("name") ?? "",
            fault: fault.map { ([$0.message] + $0.faults.map(\.message)).joined(separator: " ") }, back: places.back,
            leave: leave)
        page.canChooseAgain = true
        switch state {
        case .choice, .done:
            let level = try await factors.overview(for: subject).level
            page.choices = EnrolPage.Choice.all.filter { choice in
                FactorMethod(rawValue: choice.method).map(level.admits) ?? false
            }
            page.hasChoices = true
            page.canChooseAgain = false
        case .passkey: page.passkey = .init(options: places.passkeyOptions, elsewhere: passkeysElsewhere)
        case .authenticator(let id, let secret, let address):
            page.authenticator = .init(
                factor: id, secret: secret, grouped: Self.grouped(secret), address: address,
                picture: QRPicture(address).map { "data:image/svg+xml," + $0.svg.percentEncoded })
        case .telephone(let number):
            page.telephone = .init(number: number, caution: Factors.telephoneCaution)
        case .sent(let id, let number, let end, let seconds):
            page.sent = .init(
                factor: id, number: number, numberEnd: end, seconds: seconds.map(String.init),
                pause: seconds == nil ? "" : String(SignInLimits.textPauseSeconds))
        }
        return page
    }

    /// Does what a form of the page asks for; answers where that leads, and what was wrong.
    func enrol() async throws -> (state: EnrolState, fault: Refusal?) {
        let form = visit.form
        let name = form.text("name")
        var state = EnrolState.choice
        do {
            switch (form.text("act"), form.text("method").flatMap { FactorMethod(rawValue: $0) }) {
            case ("begin", .passkey):
                // Asks for a recent proof now, where a page can: the script could not.
                _ = try await factors.beginPasskey(for: subject)
                state = .passkey
            case ("begin", .totp):
                let made = try await factors.enrolAuthenticator(named: name, for: subject)
                state = .authenticator(id: made.id.text, secret: made.secret, address: made.address)
            case ("begin", .sms):
                state = .telephone(number: "")
            case ("send", .sms):
                let typed = form.text("number") ?? ""
                state =
                    form.text("factor").map { .sent(id: $0, number: typed, end: String(typed.suffix(3)), seconds: nil) }
                    ?? .telephone(number: typed)
                guard let number = TelephoneNumber(typed) else {
                    throw Refusal(
                        .invalid, "telephone.number",
                        "Write the number as the whole world dials it, such as +49 151 23456789.")
                }
                let sent = try await factors.enrolTelephone(number, named: name, for: subject)
                state = .sent(id: sent.id.text, number: typed, end: sent.numberEnd, seconds: sent.seconds)
            case ("confirm", .passkey):
                state = .passkey
                state = .done(try await factors.finishPasskey(passkeyAnswer(), named: name, for: subject))
            case ("confirm", let method?):
                let id = form.text("factor") ?? ""
                state =
                    method == .sms
                    ? .sent(
                        id: id, number: form.text("number") ?? "", end: String((form.text("number") ?? "").suffix(3)),
                        seconds: nil)
                    : .authenticator(
                        id: id, secret: form.text("secret") ?? "", address: form.text("address") ?? "")
                guard let id = FactorID(text: id) else { throw Self.unknownFactor }
                state = .done(try await factors.confirm(id, code: form.text("code") ?? "", for: subject))
            default: break
            }
        } catch let refusal as Refusal where refusal.kind != .unauthenticated && refusal.code != "signin.stepUp" {
            return (state, refusal)
        }
        return (state, nil)
    }

    private static let unknownFactor = Refusal(
        .notFound, "factor.unknown", "There is no such factor waiting for its first code. Begin again.")

    private static func grouped(_ secret: String) -> String {
        let letters = Array(secret)
        return stride(from: 0, to: letters.count, by: 4).map { String(letters[$0..<min($0 + 4, letters.count)]) }
            .joined(separator: " ")
    }
}

extension EnrolPage.Choice {
    /// The methods, the strongest first.
    fileprivate static let all = [
        Self(
            method: FactorMethod.passkey.rawValue, label: "Passkey",
            detail:
                "Your telephone, computer or a security key proves that it is you. The strongest, and the quickest.",
            isWeak: false),
        Self(
            method: FactorMethod.totp.rawValue, label: "Authenticator",
            detail: "A program on your telephone shows a new code every 30 seconds.", isWeak: false),
        Self(
            method: FactorMethod.sms.rawValue, label: "Telephone",
            detail: "A code by text message. The weakest: only for when nothing else works.", isWeak: true),
    ]
}
