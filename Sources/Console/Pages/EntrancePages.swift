import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// Asks who comes.
struct SignInPage: PageView {
    static let template = "gate-sign-in"
    let title = "Sign in"
    let place: String
    var address = ""
    var organisation: String?
    var next = "/"
    var fault: String?
    /// Why the session that this browser holds does not count any more.
    var ended: String?
    var hint: String?
    /// Whether passkeys work at the address by which the visitor came.
    var takesPasskeys = false
}

/// Asks for a new password: of a new account, after a link, or because the old one has had its time.
struct ChoosePage: PageView {
    static let template = "gate-choose"

    /// A time zone to choose.
    struct Zone: Sendable {
        let name: String
        let isChosen: Bool
    }

    /// What only the first administrator is asked.
    struct First: Sendable {
        let name: String
        let address: String
        let organisation: String
        /// The demo's organisation, when the server runs one.
        let demo: String?
        let zones: [Zone]
    }

    let title: String
    let lead: String
    let action: String
    let verb: String
    var link: String?
    var pending: String?
    /// Where a sign-in that waits leads in the end.
    var next: String?
    var first: First?
    /// The name to be confirmed; nil when nobody asks for it.
    var askName: String?
    var rules: [Rule]
    var fault: String?
}

/// One rule of passwords, and whether what is typed satisfies it.
struct Rule: Sendable {
    let sentence: String
    let shape: String
    /// Read to those who do not see the shape.
    let state: String

    static func all(_ rules: PasswordRules, typed: String) -> [Rule] {
        rules.checks(typed).map { check in
            let isGood = check.isSatisfied && !typed.isEmpty
            return Rule(
                sentence: check.sentence, shape: isGood ? "ok" : typed.isEmpty ? "off" : "warning",
                state: isGood ? ": satisfied" : ": not yet")
        }
    }
}

/// The rules alone, while somebody types.
struct RulesPage: PageView {
    static let template = "rules"
    let title = "Rules"
    let rules: [Rule]
}

/// Asks for the address of somebody who has forgotten their password.
struct ForgottenPage: PageView {
    static let template = "gate-forgotten"
    let title = "Forgotten password"
    /// Whether this server can mail a link to anybody at all.
    let sends: Bool
    var fault: String?
}

/// Explains why browsers warn of this server and what to do.
struct CertificatePage: PageView {
    static let template = "gate-certificate"
    let title = "Certificate warnings"
    let fingerprint: String
    let names: String
    /// The name by which the visitor came, when it is in no certificate.
    let otherName: String?
}

/// The first page of a new organisation's administrator.
struct WelcomePage: PageView {
    static let template = "welcome"
    static let menu: MenuItem? = .overview
    let title: String
    let lead: String
    let connect: String
    let importing: String
    /// Where the demo fleet is begun, while it is offered.
    let demo: String?
    let overview: String
}
