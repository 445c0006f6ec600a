import Base
import Dispatch
import Foundation
import Synchronization
import Trust

/// Computes passwords' hashes on few threads of its own, one after the other.
///
/// A computation is heavy on purpose, so there is a bound on everything: the threads (and with them the memory, which
/// is their number times the cost's), and who may wait. Whoever comes when the queue is full is told to come again.
/// The threads give way to the server's other work: a storm of sign-ins must not hold up readings.
public final class PasswordHashing: Sendable {
    private struct Queue {
        var waiting: [@Sendable () -> Void] = []
        var isClosed = false
    }

    /// What the threads hold, so that they do not hold this object.
    private final class Shared: Sendable {
        let queue = Mutex(Queue())
        let work = DispatchSemaphore(value: 0)

        func serve() {
            // A thread's own niceness, on Linux.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            while true {
                work.wait()
                let next = queue.withLock { queue -> (@Sendable () -> Void)? in
                    queue.waiting.isEmpty ? nil : queue.waiting.removeFirst()
                }
                if let next { next() } else if queue.withLock({ $0.isClosed }) { return }
            }
        }
    }

    /// What every new hash takes.
    public let cost: PasswordCost
    private let shared = Shared()
    private let most: Int
    private let count = Atomic<Int>(0)
    /// Computed for whoever has no hash, so that unknown accounts cost what known ones do.
    private let stranger: PasswordHash

    /// `threads` threads and at most `waiting` computations that wait for one.
    public init(threads: Int = 1, waiting: Int = 256, cost: PasswordCost = .standard) {
        self.cost = cost
        most = max(waiting, 1)
        stranger = PasswordHash(
            cost: cost, salt: Self.random(PasswordHash.saltBytes), hash: Self.random(PasswordHash.hashBytes))
        for number in 1...max(threads, 1) {
            let thread = Thread { [shared] in shared.serve() }
            thread.name = "passwords-\(number)"
            thread.stackSize = 256 << 10
            thread.start()
        }
    }

    deinit { close() }

    /// Lets the threads end when they have done what waits.
    public func close() {
        shared.queue.withLock { $0.isClosed = true }
        for _ in 0..<64 { shared.work.signal() }
    }

    /// How many hashes were computed: what tests compare, because a clock would lie.
    public var computations: Int { count.load(ordering: .relaxed) }

    /// How many computations wait.
    public var waiting: Int { shared.queue.withLock { $0.waiting.count } }

    /// The hash of a new password, as the table keeps it.
    func hash(_ password: Password) async throws -> String {
        let (cost, salt) = (cost, Self.random(PasswordHash.saltBytes))
        let hash = try await compute {
            try Argon2.hash(password.bytes, salt: salt, cost, bytes: PasswordHash.hashBytes)
        }
        return PasswordHash(cost: cost, salt: salt, hash: hash).text
    }

    /// Whether the password is the one of a stored hash; nil takes as long and is never right.
    func verify(_ password: Password, against text: String?) async throws -> Bool {
        let stored = text.flatMap { PasswordHash($0) }
        let against = stored ?? stranger
        let hash = try await compute {
            try Argon2.hash(password.bytes, salt: against.salt, against.cost, bytes: against.hash.count)
        }
        return ConstantTime.equal(hash, against.hash) && stored != nil
    }

    /// Whether a stored hash was computed at another cost than new ones are.
    func isOutdated(_ text: String) -> Bool { PasswordHash(text)?.cost != cost }

    private func compute(_ work: @escaping @Sendable () throws -> [UInt8]) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            let isAccepted = shared.queue.withLock { queue in
                guard !queue.isClosed, queue.waiting.count < most else { return false }
                queue.waiting.append { continuation.resume(with: Result { try work() }) }
                return true
            }
            guard isAccepted else { return continuation.resume(throwing: Self.busy) }
            count.add(1, ordering: .relaxed)
            shared.work.signal()
        }
    }

    /// What is answered when as many wait as may.
    static let busy = Refusal(
        .unavailable, "signin.busy", "Too many people sign in just now. Try again in a few seconds.",
        retryAfter: .seconds(5))

    private static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
