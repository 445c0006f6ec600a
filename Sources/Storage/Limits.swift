/// Every bound of the storage seam, on one page.
public enum StorageLimits {
    /// Transactions that may run or wait on one database at once; one more is refused as unavailable.
    public static let waitingTransactions = 4096
    /// Read connections of one SQLite file.
    static let sqliteReaders = 4
    /// Statement texts whose analysis and prepared form are kept; further texts are prepared for one use.
    static let cachedStatements = 1024
    /// Prepared statements kept on one PostgreSQL connection; the least recently used gives way.
    static let preparedStatements = 256
    /// Highest parameter number in a statement; SQLite's default bound is 32,766.
    static let parameters = 32_000
    /// Length of one statement's text in bytes.
    static let statementBytes = 1 << 20
    /// Times that one transaction's body may run when PostgreSQL reports conflicts.
    static let attempts = 12
    /// Rows that one bulk insert sends in one statement.
    static let insertRows = 2000
    /// Rows of one table in one transaction after which PostgreSQL is told to count the table anew.
    static let analysedRows = 20_000
    /// Bytes of values after which a bulk insert sends what it has.
    static let insertBytes = 1 << 20
    /// Connections to one PostgreSQL server.
    static let connections = 1...128
    /// Longest text or blob that a snapshot may hold; PostgreSQL stores no longer one.
    static let snapshotValueBytes = 1 << 30
    /// Columns of one table in a snapshot.
    static let snapshotColumns = 1024
    /// Tables, and migrations, in a snapshot's heading.
    static let snapshotEntries = 10_000
    /// Length of a name in a snapshot.
    static let snapshotNameBytes = 256
}
