import Base
import Synchronization

/// How many deliveries of each lane wait or rest: counted in the database now and then, and up in between.
///
/// It bounds the queue without a row that every sender would have to lock, so the bound is kept roughly. Each lane has
/// its own, so that what waits for a dead webhook leaves room for the mails with which people sign in.
final class QueueDepths: Sendable {
    private let counts = Mutex<[Lane: Int]>([:])

    static func bound(_ lane: Lane) -> Int {
        lane.isMessages ? DeliveryLimits.queued : DeliveryLimits.queuedEvents
    }

    func hasRoom(_ lane: Lane) -> Bool { counts.withLock { $0[lane, default: 0] } < Self.bound(lane) }

    func add(_ count: Int, to lane: Lane) { counts.withLock { $0[lane, default: 0] += count } }

    func replace(_ counted: [Lane: Int]) { counts.withLock { $0 = counted } }
}

/// Wakes the courier when something was put into the queue.
final class Wake: Sendable {
    private struct State {
        var isSignalled = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Ends the present wait, or the next one at once.
    func signal() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            if state.waiting == nil { state.isSignalled = true }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Returns at the next signal, or at once when there was one since the last wait; one caller at a time.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isSignalled = state.withLock { state in
                if state.isSignalled {
                    state.isSignalled = false
                    return true
                }
                state.waiting = continuation
                return false
            }
            if isSignalled { continuation.resume() }
        }
    }
}
