import Synchronization

/// Lets one who waits go on before its time; what rings while nobody waits is heard by the next who does.
///
/// No stream serves for this: one whose reader is cancelled, as it is when the time is over first, has ended for good, and
/// every wait after that would be none.
public final class Bell: Sendable {
    private struct State {
        var hasRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// A bell that has not rung.
    public init() {}

    /// Rings.
    public func ring() {
        let waiter = state.withLock { state in
            let waiter = state.waiter.take()
            if waiter == nil { state.hasRung = true }
            return waiter
        }
        waiter?.resume()
    }

    /// Waits until it rings, the time is over, or the caller is cancelled; one at a time may wait.
    public func wait(_ time: Duration?) async {
        await withTaskGroup { group in
            if let time { group.addTask { try? await Task.sleep(for: time) } }
            group.addTask { await self.rung() }
            await group.next()
            group.cancelAll()
        }
    }

    private func rung() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    // Cancellation is marked before its handler takes the lock, so one of the two sees the other.
                    guard !state.hasRung, !Task.isCancelled else {
                        state.hasRung = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }
}
