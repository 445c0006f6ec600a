import Base
import Operations

/// What a client says of an action, read as the clients in use write it: members that are not known are left aside, and
/// the identifier in the body, which is a number, a text or missing, is not looked at.
struct DDIFeedback: Hashable, Sendable {
    /// `status.execution`.
    enum Execution: String, Sendable {
        case closed, proceeding, canceled, scheduled, rejected, resumed, downloaded, download
    }

    /// `status.result.finished`.
    enum Finished: String, Sendable {
        case success, failure, none
    }

    let execution: Execution
    let finished: Finished
    let code: Int64?
    let details: [String]

    /// The feedback in a body; throws what is wrong with it.
    init(_ body: [UInt8]) throws(Refusal) {
        let json = try DDIBody.object(body, "ddi.feedback")
        guard let status = json["status"] else { throw Self.wrong("status is missing") }
        guard let execution = status["execution"]?.string.flatMap(Execution.init) else {
            throw Self.wrong("status.execution is missing, or no word of the API")
        }
        guard let finished = status["result"]?["finished"]?.string.flatMap(Finished.init) else {
            throw Self.wrong("status.result.finished is missing, or no word of the API")
        }
        self.execution = execution
        self.finished = finished
        code = status["code"]?.integer
        details = DDIBody.texts(status["details"])
    }

    /// What it says of a deployment.
    var ofDeployment: TaskFeedback.Report {
        switch (execution, finished) {
        case (.closed, .failure): .failed
        case (.closed, _): .succeeded
        case (.canceled, _): .cancelled
        // hawkBit keeps a rejected action open with a warning; here a device that does not want it ends it, because
        // nothing would ever become of it.
        case (.rejected, _): .refused
        default: .progress
        }
    }

    /// What it says of the wish to end an action; `progress` when it only tells how far that is.
    var ofCancellation: TaskFeedback.Report {
        switch (execution, finished) {
        case (.closed, .failure), (.rejected, _): .goesOn
        case (.closed, _): .cancelled
        default: .progress
        }
    }

    private static func wrong(_ what: String) -> Refusal {
        Refusal(.invalid, "ddi.feedback", "The feedback can not be read: \(what).")
    }
}

/// What a client says when it is asked whether it may install something.
struct DDIConfirmation: Hashable, Sendable {
    let isConfirmed: Bool
    let code: Int64?
    let details: [String]

    /// The confirmation in a body; throws what is wrong with it.
    init(_ body: [UInt8]) throws(Refusal) {
        let json = try DDIBody.object(body, "ddi.confirmation")
        switch json["confirmation"]?.string {
        case "confirmed": isConfirmed = true
        case "denied": isConfirmed = false
        default:
            throw Refusal(
                .invalid, "ddi.confirmation", "The answer can not be read: confirmation is \"confirmed\" or \"denied\"."
            )
        }
        code = json["code"]?.integer
        details = DDIBody.texts(json["details"])
    }
}

/// Bodies of requests: JSON objects within bounds.
enum DDIBody {
    /// The object in a body; throws `code` when it is none.
    static func object(_ body: [UInt8], _ code: String) throws(Refusal) -> JSONValue {
        do {
            let json = try JSONValue(parsing: body, limits: JSONLimits(bytes: Limits.ddiBodyBytes, depth: 16))
            if case .object = json { return json }
        } catch {
            throw Refusal(.invalid, code, "The body is no JSON: \(error.message), at byte \(error.offset).")
        }
        throw Refusal(.invalid, code, "The body must be a JSON object.")
    }

    /// The texts of a list, without zeros, which no database keeps; anything else in it is left aside.
    static func texts(_ value: JSONValue?) -> [String] {
        guard case .array(let items)? = value else { return [] }
        return items.lazy.compactMap(\.string).prefix(Limits.ddiDetails).map { text in
            text.utf8.contains(0) ? String(text.unicodeScalars.filter { $0.value != 0 }.map(Character.init)) : text
        }
    }
}
