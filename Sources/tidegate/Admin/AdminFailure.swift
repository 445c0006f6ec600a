import Base

/// Why a command could not be carried out before the server had a say.
struct AdminFailure: Error, CustomStringConvertible {
    let description: String
    /// Whether the server could not be reached at all, which has an exit code of its own.
    let isUnreachable: Bool

    init(_ description: String, isUnreachable: Bool = false) {
        self.description = description
        self.isUnreachable = isUnreachable
    }
}

/// The server's refusal, as its problem document has it.
struct AdminRefusal: Error, CustomStringConvertible {
    let status: Int
    let problem: JSONValue

    /// Whether the same may work soon: the server is busy, or stands elsewhere in an upload than was thought.
    var isPassing: Bool {
        status == 503 || ["artifact.offset", "artifact.busy"].contains(problem["code"]?.string ?? "")
    }

    init(status: Int, _ problem: JSONValue) {
        self.status = status
        self.problem = problem
    }

    var description: String {
        guard let detail = problem["detail"]?.string else { return "The server answered with status \(status)." }
        var text = detail
        if case .array(let faults) = problem["faults"], faults.count > 1 {
            for fault in faults {
                text += "\n  \(fault["place"]?.string ?? ""): \(fault["message"]?.string ?? "")"
            }
        }
        if let code = problem["code"]?.string { text += " [\(code)]" }
        return text
    }
}
