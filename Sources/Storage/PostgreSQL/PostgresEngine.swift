import Dispatch
import Logging
import Synchronization

/// PostgreSQL through libpq: a small pool of connections, each on its own thread, behind one queue.
///
/// Writes are SERIALIZABLE, so that the same bodies are right here as under SQLite's single writer. Reads are REPEATABLE
/// READ: they see one state like a SQLite reader, and neither wait nor make writers repeat.
final class PostgresEngine: Engine {
    private typealias Job = @Sendable (PostgresWorker?) -> Void

    private struct State {
        var idle: [PostgresWorker]
        var waiting: ArraySlice<Job> = []
        var isClosed = false
    }

    private let server: PostgresServer
    private let workers: [PostgresWorker]
    private let state: Mutex<State>

    var kind: DatabaseKind { .postgres }

    private init(_ server: PostgresServer) {
        self.server = server
        workers = (1...server.options.connections).map { PostgresWorker($0, server) }
        state = Mutex(State(idle: workers.reversed()))
    }

    /// Connects once and checks that the server can serve.
    static func open(url: String, _ options: DatabaseOptions) async throws -> PostgresEngine {
        guard StorageLimits.connections.contains(options.connections) else {
            throw StorageError(
                .misuse, "between 1 and \(StorageLimits.connections.upperBound) connections are possible")
        }
        let engine = PostgresEngine(PostgresServer(url: url, options))
        do {
            try await engine.check()
        } catch {
            await engine.close()
            throw error
        }
        return engine
    }

    private func check() async throws {
        let logger = server.options.logger
        try await onWorker { worker in
            try worker.transaction(Self.read, .platform) { session in
                let facts = try session.facts()
                guard facts.isUTF8 else {
                    throw StorageError(
                        .misuse, "the PostgreSQL database is not in UTF-8: create it with ENCODING 'UTF8'")
                }
                guard facts.isBytewise else {
                    throw StorageError(
                        .misuse,
                        "the PostgreSQL database does not order text by its bytes: create it with LC_COLLATE 'C' and TEMPLATE template0"
                    )
                }
                if facts.bypassesRowSecurity {
                    logger.warning(
                        "the PostgreSQL role bypasses row security, the second line between tenants: use another")
                }
                return Outcome(value: (), afterCommit: [])
            }
        }
    }

    /// Reads are planned for their arguments each time, at half a millisecond for the largest. A plan for any arguments,
    /// which the server turns to at the sixth run, takes each label or domain for a rare one: a list of devices with a
    /// label that half of them have went from 1 to 250 ms.
    private static let read = "ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan"
    private static let write = "ISOLATION LEVEL SERIALIZABLE"

    func transaction<Value: Sendable>(
        _ access: Access, _ scope: Scope, _ body: @escaping @Sendable (any Session) throws -> Outcome<Value>
    ) async throws -> Value {
        let mode =
            switch access {
            case .read: Self.read
            case .write: Self.write
            }
        return try await onWorker { try $0.transaction(mode, scope, body) }
    }

    func maintenance<Value: Sendable>(
        isLoad: Bool, _ body: @escaping @Sendable (any MaintenanceSession) throws -> Value
    ) async throws -> Value {
        try await onWorker { worker in
            // Each statement must see what was committed before it had the lock, hence READ COMMITTED.
            try worker.transaction("ISOLATION LEVEL READ COMMITTED", .across) { session in
                try session.runScript(
                    """
                    SET LOCAL statement_timeout = 0;
                    SET LOCAL idle_in_transaction_session_timeout = 0;
                    SELECT pg_advisory_xact_lock(1953064037, hashtext(current_schema()));
                    """)
                return Outcome(value: try body(session), afterCommit: [])
            }
        }
    }

    func inspection<Value: Sendable>(_ body: @escaping @Sendable (any Session) throws -> Value) async throws -> Value {
        try await onWorker { worker in
            try worker.transaction(Self.read, .across) { session in
                try session.runScript(
                    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
                return Outcome(value: try body(session), afterCommit: [])
            }
        }
    }

    func close() async {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for job in waiting { job(nil) }
        for worker in workers {
            // Behind whatever the worker's queue still runs.
            await withCheckedContinuation { continuation in
                worker.queue.async {
                    worker.disconnect()
                    continuation.resume()
                }
            }
        }
    }

    /// Runs `work` on the thread of a free worker, or when one becomes free.
    private func onWorker<Value: Sendable>(_ work: @escaping @Sendable (PostgresWorker) throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            submit { worker in
                continuation.resume(
                    with: Result {
                        guard let worker else { throw StorageError(.unavailable, "the database is closed") }
                        return try work(worker)
                    })
            }
        }
    }

    private func submit(_ job: @escaping Job) {
        enum Place {
            case worker(PostgresWorker)
            case waiting
            case closed
        }
        let place: Place = state.withLock { state in
            if state.isClosed { return .closed }
            if let worker = state.idle.popLast() { return .worker(worker) }
            state.waiting.append(job)
            return .waiting
        }
        switch place {
        case .worker(let worker): worker.queue.async { self.work(worker, job) }
        case .waiting: break
        case .closed: job(nil)
        }
    }

    /// Runs `job` and then what waits, until nothing does.
    private func work(_ worker: PostgresWorker, _ job: @escaping Job) {
        var next: Job? = job
        while let job = next {
            job(worker)
            next = state.withLock { state in
                if let job = state.waiting.popFirst() { return job }
                state.idle.append(worker)
                return nil
            }
        }
    }
}

extension PostgresSession {
    /// What must be known of a server before it is used.
    struct Facts {
        let isUTF8: Bool
        let isBytewise: Bool
        let bypassesRowSecurity: Bool
    }

    /// Asks the server; `'B' < 'a'` and the like hold only where text is ordered by its bytes.
    func facts() throws -> Facts {
        let row = try self.row(
            """
            SELECT current_setting('server_encoding') = 'UTF8', 'B' < 'a' AND 'z' < 'é' AND 'a b' < 'aa' AND '-b' < 'a',
                   (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
            """)
        return Facts(isUTF8: try row.bool(0), isBytewise: try row.bool(1), bypassesRowSecurity: try row.bool(2))
    }
}
