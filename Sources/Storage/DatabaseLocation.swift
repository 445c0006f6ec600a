public import Base
public import Logging

/// Where a database is.
public enum DatabaseLocation: Hashable, Sendable {
    /// A SQLite file, created when absent.
    case sqlite(path: String)
    /// A SQLite database in memory, gone when closed.
    case memory
    /// A PostgreSQL database by its libpq connection string or URL.
    case postgres(url: String)
}

/// How a database behaves; the defaults suit a server.
public struct DatabaseOptions: Sendable {
    /// Where SQLite keeps its partitions; beside the database file in `partitions` when nil.
    public var partitionDirectory: String?
    /// Connections to PostgreSQL, each on its own thread.
    public var connections = 4
    /// After this long PostgreSQL gives a statement up.
    public var statementTimeout: Duration = .seconds(30)
    /// How long a transaction waits for SQLite's write lock, and for PostgreSQL to answer again.
    public var patience: Duration = .seconds(5)
    /// Free bytes below which a SQLite file is not opened for work.
    public var minimumFreeBytes: Int64 = 32 << 20
    /// The time of day, for the record of applied migrations.
    public var clock: WallClock = .system
    /// Whether nothing is ever written: no file is made, no schema brought up to date; for looking at a live database.
    public var isReadOnly = false
    /// Where reconnections and warnings are told.
    public var logger = Logger(label: "tidegate.storage")

    /// The default behaviour.
    public init() {}
}
