/// Whether a transaction may change rows.
enum Access: Sendable {
    case read
    case write
}

/// What a transaction's body leaves behind when it succeeds.
struct Outcome<Value> {
    let value: Value
    let afterCommit: [@Sendable () -> Void]
}

/// One of the two databases underneath: it owns connections and threads, begins and ends transactions, and repeats them.
protocol Engine: AnyObject, Sendable {
    /// Which of the two it is.
    var kind: DatabaseKind { get }

    /// Runs `body` in a transaction on one of the engine's threads, once or more often, and commits when it returns.
    func transaction<Value: Sendable>(
        _ access: Access, _ scope: Scope, _ body: @escaping @Sendable (any Session) throws -> Outcome<Value>
    ) async throws -> Value

    /// Runs `body` in one exclusive transaction that may change the schema and takes as long as it needs.
    ///
    /// With `isLoad` the body may call `withoutReferences`.
    func maintenance<Value: Sendable>(
        isLoad: Bool, _ body: @escaping @Sendable (any MaintenanceSession) throws -> Value
    ) async throws -> Value

    /// Runs `body` in one read transaction that sees all tenants and takes as long as it needs.
    func inspection<Value: Sendable>(_ body: @escaping @Sendable (any Session) throws -> Value) async throws -> Value

    /// Ends all work and gives the connections back.
    func close() async
}

/// An open transaction on one connection, used on one thread only.
protocol Session: AnyObject {
    /// Runs a statement with exactly as many values as it has parameters and returns the number of changed rows.
    ///
    /// Every result row goes to `receive`. When `isStream` the rows are never all in memory, and `receive` must not
    /// use the session.
    func run(
        _ statement: SQLStatement, _ values: [SQLValue], _ scope: Scope, isStream: Bool, _ receive: (Row) throws -> Void
    ) throws -> Int

    /// Inserts rows, each with a value for every column.
    func insert(into table: String, _ columns: [String], _ rows: [[SQLValue]], _ scope: Scope) throws

    /// The names of a table's columns in their order.
    func columns(of table: String) throws -> [String]
}

/// A transaction that may also change the schema.
protocol MaintenanceSession: Session {
    /// Runs schema statements, separated by `;`, without arguments.
    func runScript(_ sql: String) throws

    /// Whether a table exists.
    func hasTable(_ name: String) throws -> Bool

    /// Makes the second line of defence for the tenant tables, where the engine has one.
    func protect(_ tenantTables: [String]) throws

    /// Loads rows while references between them may be incomplete; at the end all must hold.
    func withoutReferences(in tables: [String], _ body: () throws -> Void) throws
}

/// Which database is underneath, for the few acts that differ, such as dropping a day.
public enum DatabaseKind: String, Sendable {
    /// SQLite files.
    case sqlite
    /// A PostgreSQL server.
    case postgres
}
