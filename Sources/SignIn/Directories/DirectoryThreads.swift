import Base
import Dispatch
import Synchronization

/// The threads on which directories are asked: whoever asks them waits, and must not hold up the pool that runs all tasks.
final class DirectoryThreads: Sendable {
    private let queues: [DispatchQueue]
    private let state: Mutex<State>

    private struct State {
        var free: [Int]
        var waiting: [@Sendable (Int) -> Void] = []
    }

    init() {
        queues = (0..<DirectoryLimits.questions).map { DispatchQueue(label: "tidegate.directories.\($0)") }
        state = Mutex(State(free: Array(queues.indices)))
    }

    /// Does something that waits, when a thread is free.
    func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let job: @Sendable (Int) -> Void = { place in
                self.queues[place].async {
                    continuation.resume(with: Swift.Result { try work() })
                    self.release(place)
                }
            }
            let place = state.withLock { state -> Int?? in
                if let place = state.free.popLast() { return .some(place) }
                guard state.waiting.count < DirectoryLimits.waitingQuestions else { return nil }
                state.waiting.append(job)
                return .some(nil)
            }
            switch place {
            case .some(.some(let place)): job(place)
            case .some(nil): break
            case nil: continuation.resume(throwing: PasswordHashing.busy)
            }
        }
    }

    private func release(_ place: Int) {
        let next = state.withLock { state -> (@Sendable (Int) -> Void)? in
            if state.waiting.isEmpty {
                state.free.append(place)
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?(place)
    }
}
