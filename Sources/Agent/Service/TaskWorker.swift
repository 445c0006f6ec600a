import Base
import NIOPosix
import Synchronization

/// Does one task: by itself what concerns the agent, else by the program of the task's type.
struct TaskWorker: Sendable {
    /// What became of the attempt.
    enum Result: Sendable, Hashable {
        /// The task is over.
        case ended(TaskOutcome)
        /// The program wants to be asked again once the agent has started anew.
        case continues
    }

    /// The exit codes of programs that mean something of their own; any other than 0 is a failure.
    enum ExitCode {
        static let done: Int32 = 0
        static let continues: Int32 = 75
        static let refused: Int32 = 77
    }

    /// How far a task is, for the calls to tell.
    final class Progress: Sendable {
        private let steps = Mutex<(task: Int64, done: Int64, of: Int64)?>(nil)

        func set(_ task: Int64, _ done: Int64, of: Int64) {
            guard done >= 0, of > 0, done <= of else { return }
            steps.withLock { $0 = (task, done, of) }
        }

        /// What was not told yet.
        func take() -> (task: Int64, done: Int64, of: Int64)? { steps.withLock { $0.take() } }
    }

    let settings: AgentSettings
    let pool: NIOThreadPool
    let progress: Progress

    /// Runs the program for `task`, which is that of its type if no other is named; `isAgain` after it wanted to be asked
    /// again.
    func run(_ task: AgentTask, by name: String? = nil, isAgain: Bool, until request: EndRequest) async -> Result {
        var program = TaskProgram("\(settings.tasks)/\(name ?? task.type)", timeout: settings.taskTimeout)
        if let objection = program.objection { return .ended(TaskOutcome(.refused, details: [objection])) }
        program.environment = [
            "TIDEGATE_TASK_ID": String(task.id), "TIDEGATE_TASK_TYPE": task.type,
            "TIDEGATE_TASK_AGAIN": isAgain ? "1" : "0", "TIDEGATE_STATE": settings.state,
        ]
        var brought: [String: JSONValue] = ["id": .integer(task.id), "type": .string(task.type), "input": task.input]
        brought["release"] = task.release
        program.input = .bytes(Array(JSONValue.object(brought).canonical.utf8))
        let (ready, progress) = (program, progress)
        do {
            let (end, said) = try await pool.runIfActive {
                var said: [String] = []
                let end = try ready.run(until: request) { line in
                    if let (done, of) = Self.steps(line) {
                        progress.set(task.id, done, of: of)
                    } else if !line.isEmpty {
                        said.append(line)
                        if said.count > AgentLimits.details { said.removeFirst() }
                    }
                }
                return (end, said)
            }
            return Self.result(of: end, said)
        } catch {
            return .ended(TaskOutcome(.failed, details: ["\(error)"]))
        }
    }

    /// `progress DONE OF`, which is no detail.
    static func steps(_ line: String) -> (done: Int64, of: Int64)? {
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "progress", let done = Int64(words[1]), let of = Int64(words[2]) else {
            return nil
        }
        return (done, of)
    }

    static func result(of end: TaskProgram.End, _ said: [String]) -> Result {
        switch end {
        case .exited(ExitCode.done): .ended(TaskOutcome(.succeeded, details: said))
        case .exited(ExitCode.continues): .continues
        case .exited(ExitCode.refused): .ended(TaskOutcome(.refused, code: 77, details: said))
        case .exited(let code): .ended(TaskOutcome(.failed, code: Int64(code), details: said))
        case .killed(let signal): .ended(TaskOutcome(.failed, code: 128 + Int64(signal), details: said))
        case .timedOut: .ended(TaskOutcome(.failed, details: said + ["it took too long and was ended"]))
        case .cancelled: .ended(TaskOutcome(.cancelled, details: said))
        }
    }
}
