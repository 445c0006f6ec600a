public import Base
import Synchronization

/// A task as a poll needs it.
public struct PostedTask: Sendable, Hashable {
    /// The number by which update clients know it.
    public let number: Int64
    /// Its identifier.
    public let id: TaskID
    /// The operation that it is part of.
    public let operation: OperationID
    /// What it asks.
    public let type: TaskType
    /// How far it has come.
    public let state: TaskState
    /// The release that an install brings.
    public let release: ReleaseID?
}

/// The open tasks of every device in memory, so that a poll is answered without the database.
///
/// It follows the commits: an act changes it after its transaction, before its caller gets an answer.
public final class TaskBoard: Sendable {
    fileprivate struct State {
        var tasks: [DeviceID: [PostedTask]] = [:]
        /// Operations of which nothing is given out now.
        var held: Set<OperationID> = []
        /// Operations whose devices are asked first.
        var asking: Set<OperationID> = []
        /// The number of the last task with which a device installed something.
        var installed: [DeviceID: Int64] = [:]
    }

    private let state = Mutex(State())

    init() {}

    /// How many devices have work.
    public var devices: Int { state.withLock { $0.tasks.count } }

    /// What a device is to do now: first what it has begun or what is to be ended, then the oldest that waits for it.
    ///
    /// - Parameter type: The only type that the device understands in the way in which it asks; nil is any.
    public func next(for device: DeviceID, of type: TaskType? = nil) -> PostedTask? {
        state.withLock { state in
            guard let tasks = state.tasks[device] else { return nil }
            func isFit(_ task: PostedTask) -> Bool { type == nil || task.type == type }
            return tasks.first { isFit($0) && $0.state.isWithDevice }
                ?? tasks.first { isFit($0) && !state.held.contains($0.operation) }
        }
    }

    /// What a device may have now: what is with it, then what waits for it, each from the oldest; at most `limit`, and
    /// one install at a time.
    public func tasks(for device: DeviceID, limit: Int) -> [PostedTask] {
        state.withLock { state in
            guard let tasks = state.tasks[device] else { return [] }
            let held = state.held
            let begun = tasks.filter(\.state.isWithDevice)
            let waiting = tasks.lazy.filter { !$0.state.isWithDevice && !held.contains($0.operation) }
            let install = begun.first { $0.type == .install } ?? waiting.first { $0.type == .install }
            return Array((begun + waiting).lazy.filter { $0.type != .install || $0 == install }.prefix(limit))
        }
    }

    /// Whether a device may have this task now: what is with it, or what is not held; of installs, only the next one.
    public func isOffered(_ task: PostedTask, to device: DeviceID) -> Bool {
        if task.state.isWithDevice { return true }
        if task.type == .install { return next(for: device, of: .install)?.id == task.id }
        return state.withLock { !$0.held.contains(task.operation) }
    }

    /// Whether a device has anything to do now.
    public func hasWork(for device: DeviceID) -> Bool {
        state.withLock { state in
            state.tasks[device]?.contains { $0.state.isWithDevice || !state.held.contains($0.operation) } ?? false
        }
    }

    /// Whether a device must agree before it has this task.
    public func asks(_ task: PostedTask) -> Bool {
        task.state == .queued && isAsked(task.operation)
    }

    /// Whether devices are asked before they have a task of this operation.
    func isAsked(_ operation: OperationID) -> Bool { state.withLock { $0.asking.contains(operation) } }

    /// The number of the last task with which a device installed something.
    public func installed(on device: DeviceID) -> Int64? { state.withLock { $0.installed[device] } }

    /// The open task of a device that has this number.
    public func task(_ number: Int64, of device: DeviceID) -> PostedTask? {
        state.withLock { $0.tasks[device]?.first { $0.number == number } }
    }

    /// Whether more waits for a device of which this task is over: it has a place for the next one.
    func followed(_ task: DeviceTask) -> Bool { !task.state.isOpen && hasWork(for: task.device) }

    func post(_ tasks: [DeviceTask]) {
        state.withLock { state in
            for task in tasks { state.post(task) }
        }
    }

    /// Says of which operations nothing is given out now; answers the devices for which something is given out again.
    func hold(_ operations: Set<OperationID>) -> [DeviceID] {
        state.withLock { state in
            let released = state.held.subtracting(operations)
            state.held = operations
            guard !released.isEmpty else { return [] }
            return state.tasks.filter { $0.value.contains { released.contains($0.operation) } }.map(\.key)
        }
    }

    /// Devices of these operations are asked first. They are few, and stay until the server stops: whoever took one out
    /// might do so just when it is ordered.
    func ask(for operations: Set<OperationID>) { state.withLock { $0.asking.formUnion(operations) } }

    /// A device has installed something with this task.
    func installed(_ number: Int64, on device: DeviceID) {
        state.withLock { $0.installed[device] = max($0.installed[device] ?? 0, number) }
    }

    func forget(_ device: DeviceID) {
        state.withLock { state in
            state.tasks[device] = nil
            state.installed[device] = nil
        }
    }
}

extension TaskBoard.State {
    /// Puts a task where it belongs: a device sees what is queued or with it, and nothing else.
    fileprivate mutating func post(_ task: DeviceTask) {
        if task.type == .install, task.state == .succeeded {
            installed[task.device] = max(installed[task.device] ?? 0, task.number)
        }
        guard task.state.isOpen, task.state != .waiting else {
            tasks[task.device]?.removeAll { $0.id == task.id }
            if tasks[task.device]?.isEmpty ?? false { tasks[task.device] = nil }
            return
        }
        let posted = PostedTask(
            number: task.number, id: task.id, operation: task.operation, type: task.type, state: task.state,
            release: task.release)
        // Changed where it stands: a copy for each task would make a long list slow.
        tasks[task.device, default: []].put(posted)
    }
}

extension [PostedTask] {
    /// Puts a task in its place among those of its device.
    fileprivate mutating func put(_ task: PostedTask) {
        if let place = firstIndex(where: { $0.id == task.id }) {
            self[place] = task
        } else {
            // Identifiers begin with the time at which they were made: the oldest stands first.
            insert(task, at: firstIndex { $0.id > task.id } ?? endIndex)
        }
    }
}
