import CPostgres
import Synchronization

/// The columns of unique indexes by the indexes' names, read after migrations.
///
/// The server's own detail names them together with the values, and not at all where row security applies.
final class UniqueKeys: Sendable {
    private let columns = Mutex<[String: [String]]>([:])

    subscript(index: String) -> [String]? { columns.withLock { $0[index] } }

    func replace(_ columns: [String: [String]]) { self.columns.withLock { $0 = columns } }
}

/// What the server says about a failed statement, without anything that holds values.
struct PostgresReport {
    let state: String
    /// The primary message, only where it can not repeat a value.
    let message: String
    let table: String?
    let column: String?
    let constraint: String?
    private let routine: String?

    init(_ result: OpaquePointer) {
        func field(_ code: CInt) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        state = field(Self.field("C")) ?? ""
        table = field(Self.field("t"))
        column = field(Self.field("c"))
        constraint = field(Self.field("n"))
        routine = field(Self.field("R"))
        let primary = field(Self.field("M")) ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        // Classes 22 and 23 complain about data and may quote it; the others speak of names, resources and syntax.
        message = state.hasPrefix("22") || state.hasPrefix("23") ? "" : Self.oneLine(primary)
    }

    /// libpq names the fields by characters, in macros that Swift does not import.
    private static func field(_ letter: Unicode.Scalar) -> CInt { CInt(letter.value) }

    /// Serialisation failure or deadlock.
    var isConflict: Bool { state == "40001" || state == "40P01" }

    /// A prepared statement that no longer fits the schema, or that somebody else removed.
    var isStalePlan: Bool { state == "0A000" && routine == "RevalidateCachedQuery" || state == "26000" }

    /// The server ends the connection: shutdown, or a time-out inside a transaction.
    var endsConnection: Bool { state.hasPrefix("57P") || state.hasPrefix("08") || state == "25P03" || state.isEmpty }

    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.trimmed }.joined(separator: "; ")
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return start[...last]
    }
}

extension StorageError {
    /// What PostgreSQL reports, worded as SQLite words it.
    init(postgres report: PostgresReport, _ uniqueKeys: UniqueKeys, file: String = #fileID, line: Int = #line) {
        let table = report.table ?? ""
        let name = report.constraint ?? ""
        let (code, message, constraint): (Code, String, Constraint?) =
            switch report.state {
            case "23505":
                (
                    .constraint,
                    "UNIQUE constraint failed: "
                        + (uniqueKeys[name]?.map { "\(table).\($0)" }.joined(separator: ", ") ?? table) + " (\(name))",
                    .unique
                )
            case "23503": (.constraint, "FOREIGN KEY constraint failed: \(table) (\(name))", .foreignKey)
            case "23502": (.constraint, "NOT NULL constraint failed: \(table).\(report.column ?? "")", .notNull)
            case "23514": (.constraint, "CHECK constraint failed: \(name)", .check)
            case "40001", "40P01", "55P03": (.busy, "others changed the same rows: \(report.message)", nil)
            case "57014": (.busy, "a statement took longer than it may: \(report.message)", nil)
            case "53100": (.full, report.message, nil)
            case "53200", "53300", "53400": (.unavailable, report.message, nil)
            case "25006": (.misuse, "a read transaction was asked to change rows", nil)
            case "42501": (.misuse, "not permitted, or a row of another tenant: \(report.message)", nil)
            case "XX001", "XX002": (.corrupt, report.message, nil)
            case let state where state.hasPrefix("23"): (.constraint, "a constraint failed: \(table) \(name)", nil)
            case let state where state.hasPrefix("22"): (.constraint, "a value does not fit its type or range", nil)
            case let state where state.hasPrefix("42"): (.misuse, report.message, nil)
            case _ where report.endsConnection: (.unavailable, report.message, nil)
            default: (.other, report.message, nil)
            }
        self.init(code, "PostgreSQL (\(report.state)): \(message)", constraint: constraint, file: file, line: line)
    }
}
