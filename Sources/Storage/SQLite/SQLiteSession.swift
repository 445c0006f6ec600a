import GRDB
import GRDBSQLite

/// A transaction on one SQLite connection, used on GRDB's queue for that connection.
///
/// GRDB keeps the prepared statements; binding and stepping go to SQLite directly, because GRDB's own values would copy
/// every blob through Foundation's `Data`.
final class SQLiteSession: MaintenanceSession {
    private let database: GRDB.Database
    private let access: Access

    init(_ database: GRDB.Database, _ access: Access) {
        self.database = database
        self.access = access
    }

    func run(
        _ statement: SQLStatement, _ values: [SQLValue], _ scope: Scope, isStream: Bool, _ receive: (Row) throws -> Void
    ) throws -> Int {
        let prepared = try prepare(statement.sqliteText, isKept: statement.isKept)
        return try withExtendedLifetime(prepared) {
            let handle = prepared.sqliteStatement
            let isReadOnly = sqlite3_stmt_readonly(handle) != 0
            guard isReadOnly || access == .write else {
                throw StorageError(.misuse, "a read transaction was asked to change rows")
            }
            defer {
                sqlite3_reset(handle)
                sqlite3_clear_bindings(handle)
            }
            for (index, value) in values.enumerated() { try bind(value, to: handle, at: index + 1) }
            let width = Int(sqlite3_column_count(handle))
            while true {
                switch sqlite3_step(handle) {
                case SQLITE_ROW: try receive(Self.row(handle, width))
                case SQLITE_DONE:
                    return isReadOnly ? 0 : Int(sqlite3_changes64(sqlite3_db_handle(handle)))
                default: throw StorageError(sqliteStatement: handle)
                }
            }
        }
    }

    func insert(into table: String, _ columns: [String], _ rows: [[SQLValue]], _ scope: Scope) throws {
        guard access == .write else { throw StorageError(.misuse, "a read transaction was asked to insert rows") }
        let places = (1...columns.count).map { "?\($0)" }.joined(separator: ", ")
        let sql = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(places))"
        let prepared = try prepare(sql, isKept: true)
        try withExtendedLifetime(prepared) {
            let handle = prepared.sqliteStatement
            defer {
                sqlite3_reset(handle)
                sqlite3_clear_bindings(handle)
            }
            for row in rows {
                for (index, value) in row.enumerated() { try bind(value, to: handle, at: index + 1) }
                guard sqlite3_step(handle) == SQLITE_DONE else { throw StorageError(sqliteStatement: handle) }
                sqlite3_reset(handle)
            }
        }
    }

    func columns(of table: String) throws -> [String] {
        try mapped { try database.columns(in: table).map(\.name) }
    }

    func runScript(_ sql: String) throws {
        try mapped { try database.execute(sql: sql) }
    }

    func hasTable(_ name: String) throws -> Bool {
        try mapped { try database.tableExists(name) }
    }

    func protect(_ tenantTables: [String]) throws {
        // SQLite has no row security: there the handle's check of each statement is the line of defence.
    }

    func withoutReferences(in tables: [String], _ body: () throws -> Void) throws {
        // The engine has switched them off for a load, and checks them all before its commit.
        try body()
    }

    private func prepare(_ sql: String, isKept: Bool) throws -> GRDB.Statement {
        try mapped { try isKept ? database.cachedStatement(sql: sql) : database.makeStatement(sql: sql) }
    }

    private func mapped<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw StorageError(sqlite: error)
        }
    }

    private func bind(_ value: SQLValue, to handle: OpaquePointer, at index: Int) throws {
        let place = CInt(index)
        let code =
            switch value {
            case .null: sqlite3_bind_null(handle, place)
            case .integer(let integer): sqlite3_bind_int64(handle, place, integer)
            case .real(let real): sqlite3_bind_double(handle, place, real)
            case .text(var text):
                text.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { characters in
                        sqlite3_bind_text64(
                            handle, place, characters.baseAddress, UInt64(bytes.count), Self.copied, UInt8(SQLITE_UTF8))
                    }
                }
            case .blob(let blob):
                // A nil address would bind null instead of no bytes.
                blob.isEmpty
                    ? sqlite3_bind_zeroblob(handle, place, 0)
                    : blob.withUnsafeBytes { bytes in
                        sqlite3_bind_blob64(handle, place, bytes.baseAddress, UInt64(bytes.count), Self.copied)
                    }
            }
        guard code == SQLITE_OK else { throw StorageError(sqliteStatement: handle) }
    }

    /// SQLITE_TRANSIENT, which C spells as a cast that Swift does not import: SQLite copies the bytes at once.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private static func row(_ handle: OpaquePointer, _ width: Int) -> Row {
        Row(
            [SQLValue](unsafeUninitializedCapacity: width) { values, count in
                for index in 0..<width {
                    values.initializeElement(at: index, to: value(handle, CInt(index)))
                }
                count = width
            })
    }

    private static func value(_ handle: OpaquePointer, _ index: CInt) -> SQLValue {
        switch sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, index))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, index))
        case SQLITE_TEXT:
            let text = sqlite3_column_text(handle, index)
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(handle, index)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let blob = sqlite3_column_blob(handle, index)
            let bytes = UnsafeRawBufferPointer(start: blob, count: Int(sqlite3_column_bytes(handle, index)))
            return .blob([UInt8](bytes))
        default: return .null
        }
    }
}
