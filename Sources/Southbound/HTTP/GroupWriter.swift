import Base
import Logging
import NIOCore
import Synchronization

/// Brings what many requests want kept to the database, many in one transaction; each goes on when its own is on disk.
///
/// While one group is written the next one gathers, so the groups grow with the load and an idle server waits for
/// nothing. What finds no room is refused at once.
final class GroupWriter<Item: Sendable, Outcome: Sendable>: Sendable {
    private struct Job {
        let item: Item
        let done: CheckedContinuation<Result<Outcome, Refusal>, Never>
    }

    private struct Waiting {
        var jobs = CircularBuffer<Job>()
        /// Those that wait or are being written.
        var count = 0
        var isClosed = false
    }

    private let waiting = Mutex(Waiting())
    private let wake = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let most: Int
    private let inGroup: Int
    private let groups: Counter
    private let logger: Logger
    private let write: @Sendable ([Item]) async throws -> [Outcome]

    /// A writer for at most `most` items at a time, `inGroup` of them in one call of `write`, which answers for each.
    init(
        most: Int, inGroup: Int, groups: Counter, logger: Logger,
        write: @escaping @Sendable ([Item]) async throws -> [Outcome]
    ) {
        self.most = max(most, 1)
        self.inGroup = max(inGroup, 1)
        self.groups = groups
        self.logger = logger
        self.write = write
    }

    /// How many wait or are being written.
    var count: Int { waiting.withLock { $0.count } }

    /// What became of `item`, once that is on disk.
    func keep(_ item: Item) async throws(Refusal) -> Outcome {
        let result = await withCheckedContinuation { done in
            let isTaken = waiting.withLock { waiting in
                guard !waiting.isClosed, waiting.count < most else { return false }
                waiting.jobs.append(Job(item: item, done: done))
                waiting.count += 1
                return true
            }
            if isTaken { wake.continuation.yield() } else { done.resume(returning: .failure(Self.full)) }
        }
        return try result.get()
    }

    /// Writes until `close` or cancellation, and then what is still here.
    func run() async {
        for await _ in wake.stream { await writeAll() }
        close()
        await writeAll()
    }

    /// Ends `run` once what is here has been written.
    func close() {
        waiting.withLock { $0.isClosed = true }
        wake.continuation.finish()
    }

    private func writeAll() async {
        while true {
            let group = waiting.withLock { waiting in
                let count = min(waiting.jobs.count, inGroup)
                defer { waiting.jobs.removeFirst(count) }
                return Array(waiting.jobs.prefix(count))
            }
            guard !group.isEmpty else { return }
            await write(group)
            waiting.withLock { $0.count -= group.count }
        }
    }

    private func write(_ group: [Job]) async {
        do {
            finish(group, try await write(group.map(\.item)))
        } catch  where group.count > 1 {
            logger.notice("a group is written one by one", metadata: ["error": "\(error)"])
            await writeEach(group)
        } catch {
            logger.warning("what devices say of their tasks waits for the database", metadata: ["error": "\(error)"])
            group.first?.done.resume(returning: .failure(Self.later))
        }
    }

    /// One of them may be what the database does not take, so each goes alone; when two in a row fail, it is the
    /// database, and the others come again later.
    private func writeEach(_ group: [Job]) async {
        var failures = 0
        for (index, job) in group.enumerated() {
            guard failures < 2 else {
                for job in group[index...] { job.done.resume(returning: .failure(Self.later)) }
                return
            }
            do {
                finish([job], try await write([job.item]))
                failures = 0
            } catch {
                logger.warning("what a device says is not kept", metadata: ["error": "\(error)"])
                failures += 1
                job.done.resume(returning: .failure(Self.later))
            }
        }
    }

    private func finish(_ group: [Job], _ outcomes: [Outcome]) {
        precondition(group.count == outcomes.count, "who writes a group answers for each of its items")
        groups.add()
        for (job, outcome) in zip(group, outcomes) { job.done.resume(returning: .success(outcome)) }
    }

    private static var full: Refusal {
        Refusal(.limited, "device.busy", "Too much waits to be kept; send it again.", retryAfter: .seconds(1))
    }
    private static var later: Refusal {
        Refusal(
            .unavailable, "device.later", "The server can not keep this now; send it again.", retryAfter: .seconds(5))
    }
}
