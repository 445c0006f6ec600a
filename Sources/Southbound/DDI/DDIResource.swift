import Base

/// What a path of hawkBit's Direct Device Integration API names, below `/{tenant}/controller/v1/{controllerId}`.
///
/// Eclipse hawkBit, Direct Device Integration API v1. Numbers of actions are those of our tasks; the one software module
/// of a deployment has the number of its action.
enum DDIResource: Hashable, Sendable {
    case poll
    case configData
    /// What the device is wanted to be; ours, not hawkBit's.
    case desired
    /// What the device says it is; ours, not hawkBit's.
    case reported
    case deployment(Int64)
    case deploymentFeedback(Int64)
    case cancel(Int64)
    case cancelFeedback(Int64)
    case installed(Int64)
    /// What the device says that it has, by whatever way it came.
    case installedByName
    case confirmations
    case confirmation(Int64)
    case confirmationFeedback(Int64)
    case activateAutoConfirm
    case deactivateAutoConfirm
    case artifacts(Int64)
    case artifact(Int64, file: String)
    case checksum(Int64, file: String)

    /// The resource that the parts of a path after the controller's identifier name.
    init?(_ parts: ArraySlice<Substring>) {
        let rest = Array(parts)
        switch (rest.first, rest.count) {
        case (nil, _): self = .poll
        case ("configData", 1): self = .configData
        case ("desired", 1): self = .desired
        case ("reported", 1): self = .reported
        case ("installedBase", 1): self = .installedByName
        case ("confirmationBase", 1): self = .confirmations
        case ("confirmationBase", 2) where rest[1] == "activateAutoConfirm": self = .activateAutoConfirm
        case ("confirmationBase", 2) where rest[1] == "deactivateAutoConfirm": self = .deactivateAutoConfirm
        case ("softwaremodules", 3...4):
            guard let module = Self.file(rest) else { return nil }
            self = module
        case (let base?, 2...3):
            guard let number = Self.number(rest[1]), rest.count == 2 || rest[2] == "feedback" else { return nil }
            switch (base, rest.count) {
            case ("deploymentBase", 2): self = .deployment(number)
            case ("deploymentBase", 3): self = .deploymentFeedback(number)
            case ("cancelAction", 2): self = .cancel(number)
            case ("cancelAction", 3): self = .cancelFeedback(number)
            case ("installedBase", 2): self = .installed(number)
            case ("confirmationBase", 2): self = .confirmation(number)
            case ("confirmationBase", 3): self = .confirmationFeedback(number)
            default: return nil
            }
        default: return nil
        }
    }

    /// What `softwaremodules/{number}/artifacts[/{file}]` names.
    private static func file(_ parts: [Substring]) -> DDIResource? {
        guard let number = number(parts[1]), parts[2] == "artifacts" else { return nil }
        guard parts.count == 4 else { return .artifacts(number) }
        guard let name = String(percentDecoding: parts[3]), !name.isEmpty else { return nil }
        let suffix = ".MD5SUM"
        guard name.hasSuffix(suffix) else { return .artifact(number, file: name) }
        return .checksum(number, file: String(name.dropLast(suffix.count)))
    }

    private static func number(_ text: Substring) -> Int64? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }

    /// The methods that it answers to, the first of which is the usual one.
    var methods: [String] {
        switch self {
        case .configData, .installedByName: ["PUT"]
        case .reported: ["POST", "PUT"]
        case .deploymentFeedback, .cancelFeedback, .confirmationFeedback, .activateAutoConfirm, .deactivateAutoConfirm:
            ["POST"]
        case .artifact: ["GET", "HEAD"]
        default: ["GET"]
        }
    }

    /// Whether a request brings a body.
    var hasBody: Bool { methods[0] != "GET" }

    /// Whether it is a document that a client gets.
    var isDocument: Bool {
        switch self {
        case .artifact, .checksum: false
        default: !hasBody
        }
    }
}
