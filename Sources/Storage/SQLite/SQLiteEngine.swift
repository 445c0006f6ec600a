import Base
import Dispatch
import GRDB

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// SQLite through GRDB: a file in WAL mode with one writer and pooled readers, or memory with one connection.
///
/// GRDB runs every body on its own dispatch queues, so nothing here blocks Swift's cooperative threads. A running
/// transaction is not cancelled with the task that waits for it: it is short, and half of it is never kept.
final class SQLiteEngine: Engine {
    private let writer: any DatabaseWriter

    var kind: DatabaseKind { .sqlite }

    private init(_ writer: any DatabaseWriter) {
        self.writer = writer
    }

    /// Opens the file at `path`, or a database in memory.
    static func open(path: String?, _ options: DatabaseOptions) async throws -> SQLiteEngine {
        try await onThread { try SQLiteEngine(connect(path, options)) }
    }

    private static func connect(_ path: String?, _ options: DatabaseOptions) throws -> any DatabaseWriter {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(options.patience.microseconds) / 1_000_000)
        configuration.maximumReaderCount = StorageLimits.sqliteReaders
        configuration.label = "tidegate.sqlite"
        configuration.readonly = options.isReadOnly
        do {
            if let path, options.isReadOnly { return try DatabasePool(path: path, configuration: configuration) }
            guard let path else { return try DatabaseQueue(configuration: configuration) }
            try checkFreeSpace(path, options.minimumFreeBytes)
            let pool = try pool(path, configuration, options.patience)
            // GRDB sets NORMAL when it turns WAL on, which may lose the last commits in a power cut.
            try pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864")
            }
            return pool
        } catch let error as DatabaseError {
            throw StorageError(sqlite: error)
        }
    }

    /// The connections to the file at `path`. Turning the write-ahead log on needs the whole of a new file for a moment;
    /// while another process opens it, too, SQLite refuses that at once and does not wait as `busyMode` says.
    private static func pool(
        _ path: String, _ configuration: Configuration, _ patience: Duration
    ) throws -> DatabasePool {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try DatabasePool(path: path, configuration: configuration)
            } catch let error as DatabaseError
                where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < deadline
            {
                usleep(10_000)
            }
        }
    }

    private static func checkFreeSpace(_ path: String, _ minimum: Int64) throws {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return }
        let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        guard free >= minimum else {
            throw StorageError(.full, "\(free) bytes are free for the database, \(minimum) are needed: make room")
        }
    }

    func transaction<Value: Sendable>(
        _ access: Access, _ scope: Scope, _ body: @escaping @Sendable (any Session) throws -> Outcome<Value>
    ) async throws -> Value {
        switch access {
        case .read:
            try await read { session in
                let outcome = try body(session)
                return outcome
            }
        case .write:
            try await write { database in
                try database.beginTransaction(.immediate)
                let outcome = try body(SQLiteSession(database, .write))
                try database.commit()
                for action in outcome.afterCommit { action() }
                return outcome.value
            }
        }
    }

    func maintenance<Value: Sendable>(
        isLoad: Bool, _ body: @escaping @Sendable (any MaintenanceSession) throws -> Value
    ) async throws -> Value {
        try await write { database in
            // Checking each row would be quadratic where a table refers to itself without an index. The setting can
            // only change outside a transaction.
            if isLoad { try database.execute(sql: "PRAGMA foreign_keys = OFF") }
            defer { if isLoad { Self.enforceReferences(database) } }
            try database.beginTransaction(.immediate)
            let value = try body(SQLiteSession(database, .write))
            if isLoad { try Self.checkReferences(database) }
            try database.commit()
            return value
        }
    }

    private static func checkReferences(_ database: GRDB.Database) throws {
        guard let table = try String.fetchOne(database, sql: "PRAGMA foreign_key_check") else { return }
        throw StorageError(.constraint, "FOREIGN KEY constraint failed: \(table)", constraint: .foreignKey)
    }

    /// Ends what a failed load left open, without which SQLite would ignore the setting.
    private static func enforceReferences(_ database: GRDB.Database) {
        if database.isInsideTransaction { try? database.rollback() }
        try? database.execute(sql: "PRAGMA foreign_keys = ON")
    }

    func inspection<Value: Sendable>(_ body: @escaping @Sendable (any Session) throws -> Value) async throws -> Value {
        try await read { Outcome(value: try body($0), afterCommit: []) }
    }

    func close() async {
        await Self.onThread { [writer] in
            // A pool's readers close last, and what only reads can not fold the write-ahead log in: without this a
            // stopped server's database would lie in two files.
            _ = try? writer.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            try? writer.close()
        }
    }

    private func read<Value: Sendable>(_ body: @escaping @Sendable (any Session) throws -> Outcome<Value>) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            writer.asyncRead { database in
                continuation.resume(
                    with: Self.storageResult {
                        let outcome = try body(SQLiteSession(database.get(), .read))
                        for action in outcome.afterCommit { action() }
                        return outcome.value
                    })
            }
        }
    }

    /// Runs `body` on the writer and rolls back what it leaves open.
    private func write<Value: Sendable>(_ body: @escaping @Sendable (GRDB.Database) throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            writer.asyncWriteWithoutTransaction { database in
                let result = Self.storageResult { try body(database) }
                if database.isInsideTransaction { try? database.rollback() }
                continuation.resume(with: result)
            }
        }
    }

    private static func storageResult<Value>(_ body: () throws -> Value) -> Result<Value, any Error> {
        do {
            return .success(try body())
        } catch let error as DatabaseError {
            return .failure(StorageError(sqlite: error))
        } catch {
            return .failure(error)
        }
    }

    /// Runs blocking work on a thread of Dispatch's.
    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: work()) }
        }
    }

    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await onThread { Result { try work() } }.get()
    }
}
