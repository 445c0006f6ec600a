/// What went wrong in the storage, with a code that callers can switch on.
///
/// The text names tables, columns and constraints, never the values of a statement's arguments, so that it may be
/// logged.
public struct StorageError: Error, Sendable {
    /// The sort of failure.
    public enum Code: String, Sendable {
        /// A constraint of the schema is violated, or a value can not be stored.
        case constraint
        /// Others were in the way for too long; trying again may help.
        case busy
        /// No room: disk or quota is full.
        case full
        /// The stored schema was made by a newer program.
        case newerSchema
        /// A migration that was already applied has changed since.
        case changedMigration
        /// The server is older than the oldest supported one.
        case oldServer
        /// The database can not be reached now, or is closed.
        case unavailable
        /// The program used the seam wrongly: SQL, arguments, tenant scope, or settings.
        case misuse
        /// The stored bytes are damaged.
        case corrupt
        /// Anything else.
        case other
    }

    /// The sort of constraint that was violated.
    public enum Constraint: String, Sendable {
        /// Primary key or unique: the row is already there.
        case unique
        /// A referenced row is absent, or a row is still referenced.
        case foreignKey
        /// A value is required.
        case notNull
        /// A CHECK failed.
        case check
    }

    /// The sort of failure.
    public let code: Code
    /// What happened, without argument values.
    public let message: String
    /// Which sort of constraint, when the code is `constraint` and the engine says so.
    public let constraint: Constraint?
    /// The error underneath, when there is one.
    public let cause: (any Error)?
    /// The source file that raised it.
    public let file: String
    /// The source line that raised it.
    public let line: Int

    /// An error with a code and a message that holds no argument values.
    public init(
        _ code: Code, _ message: String, constraint: Constraint? = nil, cause: (any Error)? = nil,
        file: String = #fileID, line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.constraint = constraint
        self.cause = cause
        self.file = file
        self.line = line
    }

    /// Whether a row with the same key is already there.
    public var isDuplicate: Bool { constraint == .unique }
}

extension StorageError: Equatable {
    /// Two errors are equal when their codes are, so that tests need not repeat the prose.
    public static func == (left: StorageError, right: StorageError) -> Bool { left.code == right.code }
}

extension StorageError: CustomStringConvertible {
    /// Code, message, cause and place, for the log.
    public var description: String {
        let reason = cause.map { " (\($0))" } ?? ""
        return "storage.\(code.rawValue): \(message)\(reason) [\(file):\(line)]"
    }
}
