import Base
import Operations

/// A task as a ThingsBoard device is called to it, and what its answer means.
///
/// ThingsBoard, MQTT device API, "Server-side RPC": the request is `{"method":…,"params":…}`, the answer any JSON.
enum ThingsBoardCall {
    /// The call for a task.
    static func request(_ type: TaskType, _ input: JSONValue) -> JSONValue {
        // What a model calls custom may be any call that its firmware knows.
        if type == .custom, let method = input["method"]?.string {
            return ["method": .string(method), "params": input["params"] ?? [:]]
        }
        return ["method": .string(type.rawValue), "params": input]
    }

    /// What an answer says of the task: done, unless it is an object with `"success":false` or an `error`.
    static func answer(_ body: [UInt8]) throws(Refusal) -> StatusReport {
        guard !body.isEmpty else { return StatusReport(.succeeded) }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: body, limits: JSONLimits(bytes: Limits.statusBytes, depth: 16))
        } catch {
            throw Refusal(.invalid, "task.status", "The answer is no JSON: \(error.message), at byte \(error.offset).")
        }
        let isFailure = value["success"] == false || (value["error"] ?? .null) != .null
        return StatusReport(isFailure ? .failed : .succeeded, details: [value.canonical])
    }
}
