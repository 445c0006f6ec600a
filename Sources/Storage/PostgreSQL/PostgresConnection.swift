import Base
import CPostgres

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One connection to a PostgreSQL server, used by one thread at a time.
///
/// Values travel in binary both ways: bytes are not doubled into hexadecimal, and numbers need no parsing.
final class PostgresConnection {
    /// Why a transaction on this connection can not go on, noted where it happens, because a body may hide the error.
    enum Trouble {
        /// Another transaction was in the way: repeat.
        case conflict
        /// A prepared statement no longer fits the schema: repeat after preparing anew.
        case stalePlan
        /// The connection is gone: repeat on a new one, unless a commit was under way.
        case lost
    }

    private struct Prepared {
        let name: String
        var lastUse: Int
    }

    private struct PreparedKey: Hashable {
        let sql: String
        let types: [Oid]
    }

    /// The connection; this class owns it and nobody else sees it.
    private let handle: OpaquePointer
    private let uniqueKeys: UniqueKeys
    private var prepared: [PreparedKey: Prepared] = [:]
    private var uses = 0
    private var arguments = PostgresArguments()
    private(set) var trouble: Trouble?
    /// Whose rows the server's row security shows now.
    private var scope = Scope.platform
    /// How long the server may say nothing: longer than it lets any statement run.
    private let patience: Duration

    /// Connects and sets the session up, or throws with the reason.
    init(url: String, _ options: DatabaseOptions, _ uniqueKeys: UniqueKeys) throws {
        self.uniqueKeys = uniqueKeys
        patience = options.statementTimeout + .seconds(5)
        // What comes before `dbname` is a default that the URL may override; what comes after it is fixed.
        let settings = [
            ("connect_timeout", "10"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"), ("fallback_application_name", "tidegate"), ("dbname", url),
            ("client_encoding", "UTF8"),
        ]
        let opened = withCStrings(settings.map(\.0)) { keywords in
            withCStrings(settings.map(\.1)) { values in PQconnectdbParams(keywords, values, 1) }
        }
        guard let opened else { throw StorageError(.unavailable, "libpq has no memory for a connection") }
        handle = opened
        guard PQstatus(handle) == CONNECTION_OK else {
            throw StorageError(.unavailable, "PostgreSQL can not be reached: \(message)")
        }
        let version = PQserverVersion(handle)
        guard version >= 130_000 else {
            throw StorageError(
                .oldServer, "PostgreSQL \(version / 10_000) is too old: version 13 or later is needed")
        }
        // The server tells its notices to standard error otherwise.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try script(
            """
            SET standard_conforming_strings = on;
            SET statement_timeout = \(options.statementTimeout.microseconds / 1000);
            SET idle_in_transaction_session_timeout = \(options.statementTimeout.microseconds / 500);
            """)
    }

    deinit { PQfinish(handle) }

    /// Whether a new transaction may begin here.
    var isUsable: Bool { PQstatus(handle) == CONNECTION_OK && trouble != .lost }

    /// Begins a transaction and sets its scope in the same round trip.
    func begin(_ mode: String, _ scope: Scope) throws {
        trouble = nil
        self.scope = scope
        try script("BEGIN \(mode); SET LOCAL tidegate.tenant = '\(scope.marker)'")
    }

    /// Commits; an error leaves open whether the server did, when the connection broke.
    func commit() throws {
        do {
            try script("COMMIT")
        } catch let error as StorageError where trouble == .lost {
            throw StorageError(
                .unavailable, "the connection broke during a commit, whose outcome is unknown: \(error.message)")
        }
    }

    /// Ends a failed transaction; the connection counts as lost when even that fails.
    func rollback() {
        let cause = trouble
        guard cause != .lost else { return }
        if (try? script("ROLLBACK")) == nil {
            trouble = .lost
        } else {
            trouble = cause
        }
        if cause == .stalePlan {
            prepared = [:]
            if (try? script("DEALLOCATE ALL")) == nil { trouble = .lost }
        }
    }

    /// Runs statements without arguments, separated by `;`, and drops their results.
    func script(_ sql: String) throws {
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
        try expectDone()
    }

    /// Drops every result of what was sent, as libpq demands before the next statement, and throws the first failure.
    private func expectDone() throws {
        var problem: StorageError?
        while let result = try nextResult() {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
            default: problem = problem ?? failure(result)
            }
        }
        if let problem { throw problem }
        guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
    }

    /// The next result of what was sent, nil after the last. A server that hangs, instead of refusing, must not keep
    /// this thread, and whoever waits for it, for ever.
    private func nextResult() throws -> OpaquePointer? {
        while PQisBusy(handle) == 1 {
            var socket = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            let ready = poll(&socket, 1, Int32(clamping: patience.microseconds / 1000))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else {
                trouble = .lost
                throw StorageError(.unavailable, "PostgreSQL does not answer")
            }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle)
    }

    /// Runs one statement with values of these types and returns the number of changed rows.
    func run(
        _ sql: String, _ values: [SQLValue], _ scope: Scope, isKept: Bool, isStream: Bool,
        _ receive: (Row) throws -> Void
    ) throws -> Int {
        arguments.set(values)
        return try run(sql, scope, isKept: isKept, isStream: isStream, receive)
    }

    /// Runs one statement with a column of values for each parameter, as an array.
    func run(_ sql: String, columns: [PostgresColumn], _ scope: Scope) throws {
        arguments.set(columns)
        _ = try run(sql, scope, isKept: true, isStream: false) { _ in }
    }

    private func run(_ sql: String, _ scope: Scope, isKept: Bool, isStream: Bool, _ receive: (Row) throws -> Void)
        throws
        -> Int
    {
        if scope != self.scope {
            try script("SET LOCAL tidegate.tenant = '\(scope.marker)'")
            self.scope = scope
        }
        let name = isKept ? try prepare(sql) : nil
        let sent = arguments.withPointers { count, values, lengths, formats in
            if let name {
                PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
            } else {
                PQsendQueryParams(handle, sql, count, arguments.types, values, lengths, formats, 1)
            }
        }
        guard sent == 1 else { throw lost() }
        if isStream { PQsetSingleRowMode(handle) }
        return try collect(receive)
    }

    /// Reads every result to the end, as libpq demands before the next statement.
    private func collect(_ receive: (Row) throws -> Void) throws -> Int {
        var changed = 0
        var problem: (any Error)?
        var decoder: PostgresRowDecoder?
        while let result = try nextResult() {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                guard problem == nil else { continue }
                do {
                    let decode = try decoder ?? PostgresRowDecoder(result)
                    decoder = decode
                    for row in 0..<PQntuples(result) { try receive(decode.row(result, row)) }
                } catch {
                    problem = error
                }
                changed = Self.changedRows(result)
            case PGRES_COMMAND_OK: changed = Self.changedRows(result)
            default: problem = failure(result)
            }
        }
        if let problem { throw problem }
        guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
        return changed
    }

    private static func changedRows(_ result: OpaquePointer) -> Int {
        guard let tag = PQcmdStatus(result), tag[0] != CChar(bitPattern: UInt8(ascii: "S")) else { return 0 }
        return PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// The name of the prepared statement for `sql` with the types of the present arguments.
    private func prepare(_ sql: String) throws -> String {
        uses += 1
        let key = PreparedKey(sql: sql, types: arguments.types)
        if let known = prepared[key] {
            prepared[key]?.lastUse = uses
            return known.name
        }
        if prepared.count >= StorageLimits.preparedStatements,
            let oldest = prepared.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            prepared.removeValue(forKey: oldest.key)
            try script("DEALLOCATE \(oldest.value.name)")
        }
        let name = "s\(uses)"
        guard PQsendPrepare(handle, name, sql, Int32(key.types.count), key.types) == 1 else { throw lost() }
        try expectDone()
        prepared[key] = Prepared(name: name, lastUse: uses)
        return name
    }

    private func failure(_ result: OpaquePointer) -> StorageError {
        let report = PostgresReport(result)
        if PQstatus(handle) != CONNECTION_OK || report.endsConnection {
            trouble = .lost
        } else if report.isConflict {
            trouble = .conflict
        } else if report.isStalePlan {
            trouble = .stalePlan
        }
        return StorageError(postgres: report, uniqueKeys)
    }

    private func lost() -> StorageError {
        trouble = .lost
        return StorageError(.unavailable, "the connection to PostgreSQL is lost: \(message)")
    }

    private var message: String { PQerrorMessage(handle).map { PostgresReport.oneLine(String(cString: $0)) } ?? "" }
}

extension Scope {
    /// What `tidegate.tenant` holds in this scope, for the row security policies.
    fileprivate var marker: String {
        switch self {
        case .tenant(let id): id.text
        case .platform: ""
        case .across: "*"
        }
    }
}

/// Calls `body` with C strings and a closing nil, valid during the call.
private func withCStrings<Value>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> Value) -> Value {
    let bytes = strings.map { Array($0.utf8CString) }
    var offsets: [Int] = []
    var all: [CChar] = []
    for string in bytes {
        offsets.append(all.count)
        all += string
    }
    return all.withUnsafeBufferPointer { all in
        body(offsets.map { offset in all.baseAddress.map { $0 + offset } } + [nil])
    }
}
