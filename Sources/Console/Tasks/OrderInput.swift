import Base
import Delivery
import Northbound
import Operations

/// What a task brings its devices, as a form asks for it. It is typed with the last step of an order, so that a secret is
/// sent once and never stands in a page.
struct OrderInput: Sendable {
    /// A field of the form.
    struct Field: Sendable {
        let id: String
        let what: String
        let hint: String
        let typed: String
        let isLine: Bool
        let isSecret: Bool
        let isArea: Bool
        let isRequired: Bool
    }

    /// The fields of a type with what was typed, but for secrets.
    static func fields(of type: TaskType, _ form: FormFields) -> [Field] {
        func field(_ id: String, _ what: String, _ hint: String, _ kind: Kind, isRequired: Bool = true) -> Field {
            Field(
                id: id, what: what, hint: hint, typed: type.isSecret ? "" : form.text(id) ?? "", isLine: kind == .line,
                isSecret: kind == .secret, isArea: kind == .area, isRequired: isRequired)
        }
        switch type {
        case .changeSecret:
            return [
                field(
                    "user", "Whose", "The user on the device; the device's own choice when empty.", .line,
                    isRequired: false),
                field("secret", "New secret", "All these devices get it, and nobody sees it again.", .secret),
            ]
        case .sendSMS:
            return [
                field("to", "To", "A number such as +4930123456.", .line),
                field("text", "Text", "What the devices' own modems send.", .area),
            ]
        case .configureCommunication:
            return [
                field("input", "Settings", "A JSON object, as the devices understand it. Nobody sees it again.", .area)
            ]
        case .custom:
            return [field("input", "What it brings", "A JSON object that fits the model's schema.", .area)]
        case .reboot, .synchronise, .configure, .install, .rotateKeys, .renewCertificate, .collectLogs,
            .runDiagnostic, .wake:
            return []
        }
    }

    private enum Kind { case line, secret, area }

    /// What the tasks bring.
    static func input(of type: TaskType, _ form: FormFields) throws(Refusal) -> JSONValue {
        func wrong(_ message: String) -> Refusal { Refusal(.invalid, "operation.invalid", message) }
        switch type {
        case .changeSecret:
            // Spaces at its ends are part of a secret.
            let secret = form.exact("secret")
            guard !secret.isEmpty else { throw wrong("Type the new secret.") }
            return form.text("user").map { ["user": .string($0), "secret": .string(secret)] }
                ?? ["secret": .string(secret)]
        case .sendSMS:
            guard let number = form.text("to").flatMap({ PhoneNumber($0) }) else {
                throw wrong("To whom is a number such as +4930123456.")
            }
            guard let text = form.text("text") else { throw wrong("Type the text.") }
            return ["to": .string(number.text), "text": .string(text)]
        case .configureCommunication, .custom:
            guard let text = form.text("input"), let json = try? JSONValue(parsing: Array(text.utf8)),
                case .object = json
            else { throw wrong("What it brings is a JSON object such as {\"apn\": \"m2m\"}.") }
            return json
        case .reboot, .synchronise, .configure, .install, .rotateKeys, .renewCertificate, .collectLogs,
            .runDiagnostic, .wake:
            return [:]
        }
    }
}
