public import Base
import Blobs
public import Fleet

/// A message to a device in plain members for simple clients, and signed for those that trust nothing else.
public struct DeviceEnvelope: Sendable, Hashable {
    /// The whole of it, as JSON.
    public let json: JSONValue
    /// The number of the task in it; nil for a desired document.
    public let number: Int64?
    /// What the task asks.
    public let type: TaskType?
    /// Whether it is the wish to end the task.
    public let isCancel: Bool
    /// Until when it counts.
    public let expires: Timestamp

    /// The JSON's text.
    public var text: String { json.canonical }
}

/// A device that wants these tasks.
public struct EnvelopeRequest: Sendable {
    /// Who wants them.
    public let device: AdmittedDevice
    /// The tasks, from the board.
    public let tasks: [PostedTask]
    /// Where the device's artifacts are: `https://host/{tenant}/controller/v1/{device}`; nil leaves addresses out.
    public let base: String?

    /// These tasks for this device.
    public init(_ tasks: [PostedTask], for device: AdmittedDevice, base: String?) {
        self.device = device
        self.tasks = tasks
        self.base = base
    }
}

/// What goes into an envelope, before it is signed.
struct EnvelopeContent {
    let number: Int64
    let type: TaskType
    let isCancel: Bool
    let hasBegun: Bool
    /// Whether the device shall ask before it installs.
    let asks: Bool
    let input: JSONValue
    let release: JSONValue?
    let expires: Timestamp

    /// The members that are said both plainly and signed.
    var members: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "id": .integer(number), "type": .string(type.rawValue), "input": input,
        ]
        members["release"] = release
        if isCancel { members["cancel"] = true }
        if asks { members["confirm"] = true }
        return members
    }

    /// A release as devices read it; one that goes back says so, and only then a device takes an earlier one.
    static func release(_ release: Release, number: Int64, base: String?, isRollback: Bool) -> JSONValue {
        var members: [String: JSONValue] = [
            "component": .string(release.component), "version": .string(release.version),
            "counter": .integer(release.counter), "hardware": .array(release.hardware.map { .string($0) }),
            "artifacts": .array(
                release.artifacts.map { artifact in
                    var members: [String: JSONValue] = [
                        "name": .string(artifact.name), "size": .integer(artifact.size),
                        "sha256": .string(artifact.sha256.text),
                    ]
                    if let base {
                        members["url"] = .string(
                            "\(base)/softwaremodules/\(number)/artifacts/\(artifact.name.percentEncoded)")
                    }
                    return .object(members)
                }),
        ]
        if isRollback { members["rollback"] = true }
        return .object(members)
    }
}
