import Operations

/// How a device hears of its tasks over MQTT.
enum TaskWay: Hashable, Sendable {
    /// As signed envelopes, on `tasks`.
    case envelopes
    /// As ThingsBoard's calls.
    case calls
}

/// Of which tasks the device of a session was told, so that it is told of none twice.
///
/// It lives in memory with the session. A device that subscribes anew is told of all that is open; it knows a task that
/// it has by its number. ThingsBoard's devices do not, so a call is made once, whatever becomes of it.
struct TaskDelivery: Sendable {
    /// By number; whether the last that it heard was the wish to end the task.
    private var told: [Int64: Bool] = [:]

    /// Notes that the device asks, so that it is told again what it was told before.
    mutating func asked() { told = [:] }

    /// Of which of these tasks, all that the device may have now, it is still to hear.
    mutating func news(_ tasks: [PostedTask], by way: TaskWay) -> [PostedTask] {
        let open = Set(tasks.map(\.number))
        told = told.filter { open.contains($0.key) }
        return tasks.filter { task in
            switch way {
            case .envelopes: told[task.number] != (task.state == .cancelling)
            case .calls: task.state == .queued && task.type != .install
            }
        }
    }

    /// Notes that the device was told of a task, or of the wish to end it.
    mutating func told(_ number: Int64, isCancel: Bool) { told[number] = isCancel }

    /// Notes that the device goes on with a task that it was asked to end; the wish may come again.
    mutating func goesOn(_ number: Int64) { if told[number] != nil { told[number] = false } }
}
