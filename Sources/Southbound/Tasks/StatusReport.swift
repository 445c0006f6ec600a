import Base
import Fleet
import Operations

/// What a device says of a task: `{"state":"running","progress":{"done":3,"of":10},"code":0,"details":["…"]}`.
///
/// Only `state` is needed, and members that are not known are left aside. A member that is known and is not what it
/// should be refuses the whole, because half of what a device said would be something that it did not say.
struct StatusReport: Hashable, Sendable {
    let report: TaskFeedback.Report
    let code: Int64?
    let details: [String]

    /// The status in a body; throws `task.status` with what is wrong with it.
    init(_ body: [UInt8]) throws(Refusal) {
        let json = try DDIBody.object(body, "task.status")
        guard let state = json["state"]?.string.flatMap({ Self.states[$0] }) else {
            throw Self.wrong("state is one of \(Self.states.keys.sorted().joined(separator: ", "))")
        }
        report = state
        code = try Self.integer(json["code"], "code")
        var details: [String] = []
        if let progress = json["progress"], progress != .null {
            guard let done = try Self.integer(progress["done"], "progress/done"),
                let of = try Self.integer(progress["of"], "progress/of"), done >= 0, of > 0, done <= of
            else { throw Self.wrong("progress has done and of, from 0 and not more done than there is") }
            details.append("\(done) of \(of)")
        }
        switch json["details"] {
        case nil, .null?: break
        case .array(let items)?:
            guard items.allSatisfy({ $0.string != nil }) else { throw Self.wrong("details are texts") }
            details += DDIBody.texts(json["details"])
        default: throw Self.wrong("details are an array of texts")
        }
        self.details = details
    }

    /// A status with these parts.
    init(_ report: TaskFeedback.Report, code: Int64? = nil, details: [String] = []) {
        (self.report, self.code, self.details) = (report, code, details)
    }

    /// What is kept of it.
    func feedback(of number: Int64, from device: AdmittedDevice) -> TaskFeedback {
        TaskFeedback(
            report, of: number, from: device, word: report == .progress ? "running" : nil, code: code,
            details: details)
    }

    private static let states: [String: TaskFeedback.Report] = [
        "taken": .taken, "running": .progress, "succeeded": .succeeded, "failed": .failed, "refused": .refused,
        "cancelled": .cancelled, "continues": .goesOn,
    ]

    private static func integer(_ value: JSONValue?, _ name: String) throws(Refusal) -> Int64? {
        guard let value, value != .null else { return nil }
        guard let number = value.integer else { throw wrong("\(name) is an integer") }
        return number
    }

    private static func wrong(_ what: String) -> Refusal {
        Refusal(.invalid, "task.status", "The status can not be read: \(what).")
    }
}
