import Base

/// What a path of hawkBit's Direct Device Integration API names, below `/{tenant}/controller/v1/{controllerId}`.
///
/// Eclipse hawkBit, Direct Device Integration API v1. Numbers of actions are those of our tasks; the one software module
/// of a deployment has the number of its action.
enum DDIResource: Hashable, Sendable {
    case poll
    case configData
    case deployment(Int64)
    case deploymentFeedback(Int64)
    case cancel(Int64)
    case cancelFeedback(Int64)
    case installed(Int64)
    case installedVersion
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
        func number(_ index: Int) -> Int64? {
            guard index < rest.count, rest[index].utf8.count <= 19, rest[index].utf8.allSatisfy({ (48...57).contains($0) })
            else { return nil }
            return Int64(rest[index])
        }
        switch (rest.first, rest.count) {
        case (nil, 0): self = .poll
        case ("configData", 1): self = .configData
        case ("deploymentBase", 2...3), ("cancelAction", 2...3), ("installedBase", 2), ("confirmationBase", 2...3):
            if rest.count == 2, rest[0] == "confirmationBase", rest[1] == "activateAutoConfirm" {
                self = .activateAutoConfirm
                return
            }
            if rest.count == 2, rest[0] == "confirmationBase", rest[1] == "deactivateAutoConfirm" {
                self = .deactivateAutoConfirm
                return
            }
            guard let number = number(1), rest.count == 2 || rest[2] == "feedback" else { return nil }
            switch (rest[0], rest.count) {
            case ("deploymentBase", 2): self = .deployment(number)
            case ("deploymentBase", _): self = .deploymentFeedback(number)
            case ("cancelAction", 2): self = .cancel(number)
            case ("cancelAction", _): self = .cancelFeedback(number)
            case ("installedBase", _): self = .installed(number)
            case (_, 2): self = .confirmation(number)
            default: self = .confirmationFeedback(number)
            }
        case ("installedBase", 1): self = .installedVersion
        case ("confirmationBase", 1): self = .confirmations
        case ("softwaremodules", 3...4):
            guard let number = number(1), rest[2] == "artifacts" else { return nil }
            guard rest.count == 4 else {
                self = .artifacts(number)
                return
            }
            let name = String(rest[3])
            self =
                name.hasSuffix(".MD5SUM")
                ? .checksum(number, file: String(name.dropLast(7))) : .artifact(number, file: name)
        default: return nil
        }
    }
}
