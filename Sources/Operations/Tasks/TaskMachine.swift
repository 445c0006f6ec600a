import Base

/// What happens to a task.
enum TaskEvent: Sendable, Hashable {
    /// Its deadline has come.
    case due
    /// The device has got it.
    case taken
    /// The device is at it.
    case began
    /// The device says how it ended: done, or in which way not.
    case ended(TaskFailure?)
    /// Somebody wants it ended; by force without asking the device.
    case cancel(force: Bool)
    /// The device has ended it because somebody wanted that.
    case gaveUp
    /// The device had done it when it was ended without an answer of the device.
    case wasDone
    /// The device can not end it any more, and goes on.
    case goesOn
    /// Somebody wants it tried again after it failed.
    case retry
}

/// The one place that knows which state follows which.
struct TaskMachine {
    /// What a task's operation says of time and tries.
    let terms: OperationTerms
    /// Whether nothing of the operation is given out.
    var isPaused = false

    /// What becomes of a task; nil when the event says nothing new, or comes too late.
    func step(_ task: DeviceTask, _ event: TaskEvent, at now: Timestamp) -> DeviceTask? {
        if event == .retry { return task.state.isFailure ? again(task, after: 0, at: now) : nil }
        // Nobody had heard how it ended: now it is known.
        if event == .ended(nil), task.state == .timedOut || task.state == .expired {
            return task.with(.succeeded, due: task.due, at: now)
        }
        if event == .wasDone { return task.state == .cancelled ? task.with(.succeeded, due: task.due, at: now) : nil }
        guard task.state.isOpen else { return nil }
        switch event {
        case .due:
            guard task.due <= now else { return nil }
            switch task.state {
            case .waiting: return task.with(.queued, due: terms.end(from: now), at: now)
            // Nobody could come for it.
            case .queued where isPaused: return task.postponed(to: terms.end(from: now))
            case .queued: return task.with(.expired, due: now, at: now)
            case .cancelling: return task.with(.cancelled, due: now, at: now)
            default: return failed(task, .timedOut, at: now)
            }
        case .taken:
            guard task.state == .queued else { return nil }
            return task.with(.offered, due: now + .seconds(terms.timeout), at: now)
        case .began:
            guard task.state == .queued || task.state == .offered else { return nil }
            return task.with(.running, due: now + .seconds(terms.timeout), at: now)
        case .ended(nil): return task.with(.succeeded, due: now, at: now)
        case .ended(let failure?):
            // What was to be ended is not tried again.
            if task.state == .cancelling { return task.with(.cancelled, due: now, at: now) }
            return failed(task, failure, at: now)
        case .cancel(let force):
            guard task.state != .cancelling || force else { return nil }
            return task.state.isWithDevice && !force
                ? task.with(.cancelling, due: now + .seconds(terms.timeout), at: now)
                : task.with(.cancelled, due: now, at: now)
        case .retry, .wasDone: return nil
        case .gaveUp: return task.state == .cancelling ? task.with(.cancelled, due: now, at: now) : nil
        case .goesOn:
            return task.state == .cancelling ? task.with(.running, due: now + .seconds(terms.timeout), at: now) : nil
        }
    }

    /// The next attempt, after so many seconds.
    private func again(_ task: DeviceTask, after pause: Int64, at now: Timestamp) -> DeviceTask {
        var next = task.with(.waiting, due: now + .seconds(pause), at: now)
        next.attempt += 1
        return next
    }

    /// It is tried again after a pause, under a new number, unless it was tried often enough.
    private func failed(_ task: DeviceTask, _ failure: TaskFailure, at now: Timestamp) -> DeviceTask {
        if task.attempt <= terms.retries[failure, default: 0] {
            return again(task, after: terms.pause, at: now)
        }
        let state: TaskState =
            switch failure {
            case .failed: .failed
            case .timedOut: .timedOut
            case .refused: .refused
            }
        return task.with(state, due: now, at: now)
    }
}

extension OperationTerms {
    /// The end of the time in which a device must call that may do so from now on: it begins when a window opens.
    func end(from now: Timestamp) -> Timestamp { opening(from: now) + .seconds(life) }
}

extension DeviceTask {
    fileprivate func postponed(to due: Timestamp) -> DeviceTask {
        var next = self
        next.due = due
        return next
    }

    fileprivate func with(_ state: TaskState, due: Timestamp, at now: Timestamp) -> DeviceTask {
        var next = self
        (next.state, next.due, next.changed) = (state, due, now)
        return next
    }
}
