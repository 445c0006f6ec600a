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
        let json: JSONValue
        do { json = try JSONValue(parsing: body) } catch { throw Self.wrong("it is no JSON: \(error)") }
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
        var details: [String] = []
        if case .array(let texts)? = status["details"] { details = texts.compactMap(\.string) }
        self.details = details
    }

    /// What it says of a deployment.
    var ofDeployment: TaskFeedback.Report {
        switch (execution, finished) {
        case (.closed, .failure): .failed
        case (.closed, _): .succeeded
        case (.canceled, _): .cancelled
        // hawkBit keeps a rejected action open with a warning; a device that does not want it ends it here, because
        // nothing would ever become of it.
        case (.rejected, _): .refused
        default: .progress
        }
    }

    /// What it says of the wish to end an action; nil when it only tells how far that is.
    var ofCancellation: TaskFeedback.Report? {
        switch (execution, finished) {
        case (.closed, .failure), (.rejected, _): .goesOn
        case (.closed, _): .cancelled
        default: nil
        }
    }

    private static func wrong(_ what: String) -> Refusal {
        Refusal(.invalid, "ddi.feedback", "The feedback can not be read: \(what).")
    }
}
