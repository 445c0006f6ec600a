/// Lets only so many tasks through at one time; the others wait in their order.
actor Turnstile {
    private var free: Int
    private var waiting: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    private var lastNumber = 0

    init(places: Int) { free = places }

    /// Does `act` when there is a place; throws when cancelled before.
    nonisolated func pass<Result: Sendable>(_ act: () async throws -> Result) async throws -> Result {
        guard await enter() else { throw CancellationError() }
        do {
            let result = try await act()
            await leave()
            return result
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async -> Bool {
        if free > 0 {
            free -= 1
            return true
        }
        lastNumber += 1
        let number = lastNumber
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume(returning: false) }
                waiting.append((number, continuation))
            }
        } onCancel: {
            Task { await self.giveUp(number) }
        }
    }

    private func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().continuation.resume(returning: true) }
    }

    private func giveUp(_ number: Int) {
        guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: index).continuation.resume(returning: false)
    }
}
