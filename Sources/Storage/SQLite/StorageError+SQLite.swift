import GRDB
import GRDBSQLite

extension StorageError {
    /// What GRDB reports. Its own description would hold the SQL; the message of SQLite holds names only.
    init(sqlite error: DatabaseError, file: String = #fileID, line: Int = #line) {
        self.init(
            sqliteCode: error.extendedResultCode.rawValue, error.message ?? "no message", file: file, line: line)
    }

    /// What a statement's connection reports.
    init(sqliteStatement handle: OpaquePointer, file: String = #fileID, line: Int = #line) {
        let connection = sqlite3_db_handle(handle)
        self.init(
            sqliteCode: sqlite3_extended_errcode(connection), String(cString: sqlite3_errmsg(connection)), file: file,
            line: line)
    }

    private init(sqliteCode code: CInt, _ message: String, file: String, line: Int) {
        let constraint: Constraint? =
            switch code {
            case SQLITE_CONSTRAINT_UNIQUE_, SQLITE_CONSTRAINT_PRIMARYKEY_, SQLITE_CONSTRAINT_ROWID_: .unique
            case SQLITE_CONSTRAINT_FOREIGNKEY_: .foreignKey
            case SQLITE_CONSTRAINT_NOTNULL_: .notNull
            case SQLITE_CONSTRAINT_CHECK_: .check
            default: nil
            }
        let sort: Code =
            switch code & 0xFF {
            case SQLITE_CONSTRAINT: .constraint
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_FULL: .full
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: .unavailable
            case SQLITE_ERROR, SQLITE_MISUSE, SQLITE_RANGE, SQLITE_MISMATCH, SQLITE_TOOBIG: .misuse
            default: .other
            }
        self.init(sort, "SQLite (\(code)): \(message)", constraint: constraint, file: file, line: line)
    }
}

// SQLite defines its extended result codes as expressions of macros, which Swift does not import.
private let SQLITE_CONSTRAINT_CHECK_ = SQLITE_CONSTRAINT | (1 << 8)
private let SQLITE_CONSTRAINT_FOREIGNKEY_ = SQLITE_CONSTRAINT | (3 << 8)
private let SQLITE_CONSTRAINT_NOTNULL_ = SQLITE_CONSTRAINT | (5 << 8)
private let SQLITE_CONSTRAINT_PRIMARYKEY_ = SQLITE_CONSTRAINT | (6 << 8)
private let SQLITE_CONSTRAINT_UNIQUE_ = SQLITE_CONSTRAINT | (8 << 8)
private let SQLITE_CONSTRAINT_ROWID_ = SQLITE_CONSTRAINT | (10 << 8)
