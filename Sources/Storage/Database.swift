public import Base
import Synchronization

/// One database behind one seam: SQLite in a file, or PostgreSQL, with the same SQL.
public final class Database: Sendable {
    let engine: any Engine
    let catalogue = StatementCatalogue()
    let options: DatabaseOptions
    let partitions: Partitions
    private let ownsEngine: Bool
    private let running = Atomic(0)
    private let isClosed = Atomic(false)
    private let marks = Atomic<UInt64>(0)

    init(_ engine: any Engine, _ options: DatabaseOptions, _ partitions: Partitions, ownsEngine: Bool = true) {
        self.engine = engine
        self.ownsEngine = ownsEngine
        self.options = options
        self.partitions = partitions
    }

    /// Opens the database at `location`, creating a SQLite file when it is absent.
    public static func open(_ location: DatabaseLocation, options: DatabaseOptions = DatabaseOptions()) async throws
        -> Database
    {
        switch location {
        case .sqlite(let path):
            let engine = try await SQLiteEngine.open(path: path, options)
            return Database(
                engine, options, Partitions(.files(directory: options.partitionDirectory ?? siblings(of: path))))
        case .memory:
            let engine = try await SQLiteEngine.open(path: nil, options)
            return Database(engine, options, Partitions(.memory))
        case .postgres(let url):
            let engine = try await PostgresEngine.open(url: url, options)
            return Database(engine, options, Partitions(.shared))
        }
    }

    private static func siblings(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "partitions" }
        return path[...slash] + "partitions"
    }

    /// Which engine is underneath.
    public var kind: DatabaseKind { engine.kind }

    /// The database as `tenant` sees it.
    public func tenant(_ id: TenantID) -> TenantDatabase { TenantDatabase(self, id) }

    /// The database as the platform sees it.
    public var platform: PlatformDatabase { PlatformDatabase(self) }

    /// A number greater than all before it. What an `afterCommit` marks is seen by every transaction that began with a
    /// greater mark, so that memory can tell whether what it holds is older than a change.
    public func mark() -> UInt64 { marks.add(1, ordering: .sequentiallyConsistent).newValue }

    /// Waits for running transactions, then gives files and connections back, those of open partitions too.
    public func close() async {
        isClosed.store(true, ordering: .releasing)
        for partition in partitions.forgetAll() { await partition.close() }
        if ownsEngine { await engine.close() }
    }

    func run<Value: Sendable>(
        _ access: Access, _ scope: Scope, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        guard !isClosed.load(ordering: .acquiring) else { throw StorageError(.unavailable, "the database is closed") }
        let before = running.add(1, ordering: .relaxed).oldValue
        defer { running.subtract(1, ordering: .relaxed) }
        guard before < StorageLimits.waitingTransactions else {
            throw Refusal(
                .unavailable, "storage.overloaded", "the database has too much to do; try again in a moment",
                detail: "\(before) transactions wait", retryAfter: .seconds(1))
        }
        let catalogue = catalogue
        let began = mark()
        return try await engine.transaction(access, scope) { session in
            let core = Transaction.Core(session, catalogue, isWriting: access == .write, began: began)
            let value: Value
            do {
                value = try body(Transaction(core, scope))
            } catch {
                core.abandon()
                throw error
            }
            try core.finish()
            return Outcome(value: value, afterCommit: core.afterCommit)
        }
    }
}
