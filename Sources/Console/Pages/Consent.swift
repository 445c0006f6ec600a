import Access
import Base
import OAuth

/// Asks a person whether a program may act for them.
struct ConsentPage: PageView {
    static let template = "consent"
    let title = "Let a program in?"
    /// The program's name, as its tenant's administrators wrote it.
    let client: String
    /// Where the browser goes afterwards; nil when the program waits elsewhere.
    let destination: String?
    /// From where the program asks, when it shows a code.
    let address: String?
    /// What it wants to use, by name; empty when that is everything.
    let permissions: [String]
    let isEverything: Bool
    let isOpenID: Bool
    /// Where the answer is sent, and what it is about.
    let action: String
    let subject: String
}

/// Asks for the code that a program shows.
struct ConnectPage: PageView {
    static let template = "connect"
    let title = "Connect a program"
    /// What was typed, or came with the address.
    let code: String
    let fault: String?
}

/// Says how it ended, and leads back to the program when it waits for the browser.
struct ConsentDonePage: PageView {
    static let template = "consent-done"
    let title: String
    let message: String
    /// The program's own address, checked against those that are registered for it.
    let address: String?
}

extension PageTable {
    static func consent(_ console: ConsoleParts) -> [Page] {
        let oauth = console.oauth
        return [
            .signedIn(Issuer.Path.consent.rawValue) { visit in
                let query = String(visit.place.drop { $0 != "?" }.dropFirst())
                switch try await plainly({ try await oauth.question(query) }) {
                case .answer(let address):
                    return .show(
                        ConsentDonePage(
                            title: "That did not work", message: "The program asked in a wrong way.", address: address))
                case .ask(let question):
                    return .show(
                        ConsentPage(
                            client: question.client.name, destination: question.destination, address: nil,
                            scope: question.scope, action: Issuer.Path.consent.rawValue, subject: query))
                }
            },
            .signedIn(posting: Issuer.Path.consent.rawValue) { visit in
                let query = visit.form.exact("subject")
                let isLetIn = visit.form.text("answer") == "yes"
                let address = try await plainly {
                    isLetIn
                        ? try await oauth.approve(query, by: visit.principal)
                        : try await oauth.refuse(query, by: visit.principal)
                }
                return .show(ConsentDonePage(isLetIn: isLetIn, address: address))
            },
            .signedIn(Issuer.Path.connect.rawValue) { visit in
                guard let code = visit.query.text("code") else { return .show(ConnectPage(code: "", fault: nil)) }
                guard let connection = try await oauth.connection(typed: code, by: visit.principal) else {
                    return .again(
                        ConnectPage(
                            code: code, fault: "No program shows this code, or not any more. Begin again there."))
                }
                return .show(
                    ConsentPage(
                        client: connection.client.name, destination: nil, address: connection.address ?? "unknown",
                        scope: connection.scope, action: Issuer.Path.connect.rawValue, subject: code))
            },
            .signedIn(posting: Issuer.Path.connect.rawValue) { visit in
                let isLetIn = visit.form.text("answer") == "yes"
                try await oauth.answer(typed: visit.form.exact("subject"), letIn: isLetIn, by: visit.principal)
                return .show(ConsentDonePage(isLetIn: isLetIn, address: nil))
            },
        ]
    }

    /// What OAuth says to programs, said to a person.
    private static func plainly<Value>(_ act: () async throws -> Value) async throws -> Value {
        do {
            return try await act()
        } catch let error as OAuthError {
            throw Refusal(.invalid, "oauth." + error.code.rawValue, error.sentence)
        }
    }
}

extension ConsentPage {
    init(client: String, destination: String?, address: String?, scope: Scope, action: String, subject: String) {
        self.init(
            client: client, destination: destination, address: address,
            permissions: scope.permissions?.map(\.rawValue).sorted() ?? [], isEverything: scope.permissions == nil,
            isOpenID: scope.isOpenID, action: action, subject: subject)
    }
}

extension ConsentDonePage {
    init(isLetIn: Bool, address: String?) {
        self.init(
            title: isLetIn ? "The program is let in" : "The program is not let in",
            message: isLetIn
                ? "It can act for you until you or an administrator ends that."
                : "It was told so and can do nothing in your name.",
            address: address)
    }
}
