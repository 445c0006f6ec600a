import NIOCore
import Synchronization

/// The work that event loops must not do (certificates, the database), a few pieces at once and a bounded number
/// waiting.
final class DeviceWorkQueue: Sendable {
    private struct Job {
        let source: ClientAddress
        let work: @Sendable () async -> Void
        let turnAway: @Sendable () -> Void
    }

    private struct Waiting {
        var jobs = CircularBuffer<Job>()
        var isClosed = false
    }

    private let waiting = Mutex(Waiting())
    private let wake = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let atOnce: Int
    private let most: Int
    private let perSource: Int?

    /// A queue in which so many pieces wait at most.
    ///
    /// - Parameter sharesPlaces: Whether one source may take no more than a quarter of the places: for strangers. Devices
    ///   have their own rates, and thousands of them may come from one address.
    init(atOnce: Int, waiting: Int, sharesPlaces: Bool) {
        self.atOnce = max(atOnce, 1)
        most = max(waiting, 1)
        perSource = sharesPlaces ? max(most / 4, 1) : nil
    }

    /// What `work` answers, in its turn, or `turnedAway` when the server stops before; nil when there is no room.
    func submit<Value: Sendable>(
        from source: ClientAddress, on eventLoop: any EventLoop, turnedAway: Value,
        _ work: @escaping @Sendable () async -> Value
    ) -> EventLoopFuture<Value>? {
        let promise: EventLoopPromise<Value>? = waiting.withLock { waiting in
            guard !waiting.isClosed, waiting.jobs.count < most else { return nil }
            if let perSource, waiting.jobs.reduce(0, { $0 + ($1.source == source ? 1 : 0) }) >= perSource { return nil }
            let promise = eventLoop.makePromise(of: Value.self)
            waiting.jobs.append(
                Job(
                    source: source, work: { promise.succeed(await work()) },
                    turnAway: { promise.succeed(turnedAway) }))
            return promise
        }
        guard let promise else { return nil }
        wake.continuation.yield()
        return promise.futureResult
    }

    /// Works until `close` or cancellation; then nothing is accepted and what waits is turned away.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await _ in wake.stream {
                while let job = take() {
                    if running == atOnce {
                        await group.next()
                        running -= 1
                    }
                    group.addTask { await job.work() }
                    running += 1
                }
            }
        }
        close()
        turnAway()
    }

    /// Answers what waits without working on it.
    func turnAway() {
        while let job = take() { job.turnAway() }
    }

    /// Ends `run` once the work at hand is done.
    func close() {
        waiting.withLock { $0.isClosed = true }
        wake.continuation.finish()
    }

    private func take() -> Job? { waiting.withLock { $0.jobs.popFirst() } }
}
