package import Base

/// What becomes of one envelope.
package enum TaskIntake: Sendable, Hashable {
    /// A new task, which is now the agent's.
    case taken(AgentTask)
    /// A task that the agent has already: it is to be ended, if `cancels`, else only told of again.
    case known(Int64, cancels: Bool)
    /// The end of a task is wanted that the agent does not have.
    case absent(Int64)
    /// It is not obeyed. The number is what it plainly says, for the server to learn of it.
    case refused(EnvelopeRefusal, Int64?)

    /// Judges an envelope by its signed part alone, and remembers in `contents` what was obeyed.
    package static func judge(
        _ envelope: JSONValue, for addressee: SignedEnvelope.Addressee, keys: MaintenanceKeys, now: Timestamp,
        _ contents: inout Journal.Contents
    ) -> TaskIntake {
        let plain = envelope["id"]?.integer
        do throws(EnvelopeRefusal) {
            guard let text = envelope["signed"]?.string else { throw .malformed }
            let signed = try SignedEnvelope(
                opening: text, .task, for: addressee, keys: keys, after: contents.taskSequence, now: now)
            let task = try AgentTask(signed)
            contents.taskSequence = signed.sequence
            let known = contents.tasks.contains { $0.id == task.id }
            if signed.payload["cancel"] == .bool(true) {
                guard known else { return .absent(task.id) }
                contents.update(task.id) { task in
                    task.isCancelling = true
                    guard task.state == .taken else { return }
                    task.state = .ended
                    task.outcome = TaskOutcome(.cancelled)
                }
                return .known(task.id, cancels: true)
            }
            if known { return .known(task.id, cancels: false) }
            // The server hands out few at a time and repeats what was not taken.
            guard contents.tasks.count < AgentLimits.openTasks else { return .known(task.id, cancels: false) }
            contents.tasks.append(task)
            return .taken(task)
        } catch {
            let (count, isFull) = contents.refusals[error.rawValue, default: 0].addingReportingOverflow(1)
            if !isFull { contents.refusals[error.rawValue] = count }
            return .refused(error, plain)
        }
    }
}
