import Base
import Dispatch
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What all workers of one server share.
final class PostgresServer: Sendable {
    let url: String
    let options: DatabaseOptions
    let uniqueKeys = UniqueKeys()
    /// Transactions that met a conflict more than once run one at a time, so that they stop meeting each other.
    let lane = DispatchQueue(label: "tidegate.postgres.lane")
    private let outage = Mutex<(until: ContinuousClock.Instant, error: StorageError)?>(nil)

    init(url: String, _ options: DatabaseOptions) {
        self.url = url
        self.options = options
    }

    /// The reason why no connection should be tried now: one has just failed for all the patience there is.
    var presentOutage: StorageError? {
        outage.withLock { outage in outage.flatMap { ContinuousClock.now < $0.until ? $0.error : nil } }
    }

    func declareOutage(_ error: StorageError) {
        outage.withLock { $0 = (ContinuousClock.now + .seconds(1), error) }
    }

    func endOutage() { outage.withLock { $0 = nil } }
}

/// One connection with its thread: a serial queue on which everything here runs.
///
/// Unchecked because the compiler does not see that: `connection` is touched on `queue` only.
final class PostgresWorker: @unchecked Sendable {
    let queue: DispatchQueue
    private let server: PostgresServer
    private var connection: PostgresConnection?

    init(_ number: Int, _ server: PostgresServer) {
        queue = DispatchQueue(label: "tidegate.postgres.\(number)")
        self.server = server
    }

    /// Runs `body` in a transaction, again after a conflict or a lost connection, and commits it.
    func transaction<Value>(
        _ mode: String, _ scope: Scope, _ body: (PostgresSession) throws -> Outcome<Value>
    ) throws -> Value {
        var attempt = 1
        while true {
            let connection = try connected()
            do {
                let outcome =
                    attempt > 2
                    ? try server.lane.sync { try run(mode, scope, connection, body) }
                    : try run(mode, scope, connection, body)
                for action in outcome.afterCommit { action() }
                return outcome.value
            } catch let interruption as Interruption {
                guard attempt < StorageLimits.attempts else { throw interruption.error }
            }
            Self.pause(.microseconds(Int64.random(in: 0...(1000 << min(attempt, 6)))))
            attempt += 1
        }
    }

    /// Gives the connection back.
    func disconnect() { connection = nil }

    /// The transaction did not happen, and may be tried again.
    private struct Interruption: Error {
        let error: any Error
    }

    private func run<Value>(
        _ mode: String, _ scope: Scope, _ connection: PostgresConnection,
        _ body: (PostgresSession) throws -> Outcome<Value>
    ) throws -> Outcome<Value> {
        var isCommitting = false
        do {
            try connection.begin(mode, scope)
            let session = PostgresSession(connection, server.uniqueKeys)
            let outcome = try body(session)
            try session.analyseLoaded()
            isCommitting = true
            try connection.commit()
            return outcome
        } catch {
            connection.rollback()
            switch connection.trouble {
            case nil: throw error
            case .conflict, .stalePlan: throw Interruption(error: error)
            case .lost:
                self.connection = nil
                server.options.logger.warning("lost a connection to PostgreSQL", metadata: ["error": "\(error)"])
                throw isCommitting ? error : Interruption(error: error)
            }
        }
    }

    /// A live connection, made anew with growing pauses until the patience ends.
    private func connected() throws -> PostgresConnection {
        if let connection, connection.isUsable { return connection }
        connection = nil
        if let outage = server.presentOutage { throw outage }
        let deadline = ContinuousClock.now + server.options.patience
        var delay = Duration.milliseconds(20)
        while true {
            do {
                let made = try PostgresConnection(url: server.url, server.options, server.uniqueKeys)
                connection = made
                server.endOutage()
                return made
            } catch let error as StorageError where error.code == .unavailable {
                guard ContinuousClock.now + delay < deadline else {
                    server.declareOutage(error)
                    throw error
                }
                Self.pause(delay)
                delay = min(delay * 2, .seconds(1))
            }
        }
    }

    /// Blocks this worker's thread, which is its own.
    private static func pause(_ duration: Duration) {
        usleep(UInt32(clamping: duration.microseconds))
    }
}
