public import Base

/// An open transaction, valid only inside the body that it was given to.
///
/// The body is synchronous, runs on the engine's threads and may run more than once (PostgreSQL repeats after a
/// conflict), so it must not change anything but the database; what shall happen outside goes to `afterCommit`.
/// A statement that fails ends the transaction: whatever the body does afterwards, it is rolled back.
public final class Transaction {
    private let core: Core
    private let scope: Scope

    init(_ core: Core, _ scope: Scope) {
        self.core = core
        self.scope = scope
    }

    /// Whether the transaction may change rows.
    public var isWriting: Bool { core.isWriting }

    /// The database's mark from before the transaction began: it sees whatever was committed before a smaller mark.
    public var began: UInt64 { core.began }

    /// The tenant that `$1` is bound to, or nil when this is no tenant's transaction.
    public var tenant: TenantID? {
        if case .tenant(let id) = scope { id } else { nil }
    }

    /// The same transaction with `$1` bound to a tenant, for acts that touch two tenants.
    public func scoped(to tenant: TenantID) -> Transaction { Transaction(core, .tenant(tenant)) }

    /// The same transaction with every tenant's rows and arguments from `$1`, for start-up loads and retention.
    public var acrossTenants: Transaction { Transaction(core, .across) }

    /// Runs `action` after the commit, on the engine's thread, in the order of commits; never after a rollback.
    public func afterCommit(_ action: @escaping @Sendable () -> Void) {
        core.afterCommit.append(action)
    }

    /// Runs a statement and returns the number of rows it changed.
    @discardableResult
    public func execute(_ sql: String, _ arguments: any SQLBindable...) throws -> Int {
        try execute(sql, arguments: arguments)
    }

    /// Runs a statement with a list of arguments and returns the number of rows it changed.
    @discardableResult
    public func execute(_ sql: String, arguments: [any SQLBindable]) throws -> Int {
        try run(sql, arguments, isStream: false) { _ in }
    }

    /// All rows of a statement's result.
    public func rows(_ sql: String, _ arguments: any SQLBindable...) throws -> [Row] {
        try rows(sql, arguments: arguments)
    }

    /// All rows of the result of a statement with a list of arguments.
    public func rows(_ sql: String, arguments: [any SQLBindable]) throws -> [Row] {
        var rows: [Row] = []
        _ = try run(sql, arguments, isStream: false) { rows.append($0) }
        return rows
    }

    /// The first row of a statement's result, or nil when there is none.
    public func row(_ sql: String, _ arguments: any SQLBindable...) throws -> Row? {
        try row(sql, arguments: arguments)
    }

    /// The first row of the result of a statement with a list of arguments, or nil when there is none.
    public func row(_ sql: String, arguments: [any SQLBindable]) throws -> Row? {
        var first: Row?
        _ = try run(sql, arguments, isStream: false) { if first == nil { first = $0 } }
        return first
    }

    /// Hands each row to `body` without ever holding all; `body` must not use the transaction.
    public func forEach(_ sql: String, _ arguments: any SQLBindable..., body: (Row) throws -> Void) throws {
        try forEach(sql, arguments: arguments, body: body)
    }

    /// Hands each row of a statement with a list of arguments to `body`; `body` must not use the transaction.
    public func forEach(_ sql: String, arguments: [any SQLBindable], body: (Row) throws -> Void) throws {
        _ = try run(sql, arguments, isStream: true, body)
    }

    /// Inserts many rows in few statements; a tenant's transaction adds the tenant column of a tenant table itself.
    public func insert(into table: String, columns: [String], rows: [[SQLValue]]) throws {
        guard !rows.isEmpty else { return }
        guard Self.isName(table), !columns.isEmpty, columns.allSatisfy(Self.isName) else {
            throw core.fail(StorageError(.misuse, "a bulk insert names its table and columns in a-z, 0-9 and _"))
        }
        guard rows.allSatisfy({ $0.count == columns.count }) else {
            throw core.fail(
                StorageError(.misuse, "a bulk insert into \(table) has a row with more or fewer values than columns"))
        }
        _ = try core.use(isStream: false) { session in
            for row in rows { for value in row { try value.checkPortable() } }
            let isTenantTable = core.catalogue.schema.tenantTables.contains(table)
            switch scope {
            case .tenant(let tenant) where isTenantTable:
                let own = tenant.sqlValue
                try session.insert(into: table, ["tenant"] + columns, rows.map { [own] + $0 }, scope)
            case .platform where isTenantTable:
                throw StorageError(
                    .misuse, "tenant table \(table): the platform inserts through scoped(to:) or acrossTenants")
            default:
                try session.insert(into: table, columns, rows, scope)
            }
            return (rows.count, nil)
        }
    }

    private func run(
        _ sql: String, _ arguments: [any SQLBindable], isStream: Bool, _ receive: (Row) throws -> Void
    ) throws -> Int {
        try core.use(isStream: isStream) { session in
            let statement = try core.catalogue.statement(sql, in: scope)
            let values = try self.values(arguments, for: statement)
            var bodyError: (any Error)?
            let changed = try session.run(statement, values, scope, isStream: isStream) { row in
                // An error of the caller's own body passes through and does not end the transaction.
                guard bodyError == nil else { return }
                do { try receive(row) } catch { bodyError = error }
            }
            return (changed, bodyError)
        }
    }

    private func values(_ arguments: [any SQLBindable], for statement: SQLStatement) throws -> [SQLValue] {
        var values: [SQLValue] = []
        values.reserveCapacity(arguments.count + 1)
        if case .tenant(let id) = scope { values.append(id.sqlValue) }
        let bound = values.count
        for argument in arguments {
            let value = argument.sqlValue
            try value.checkPortable()
            values.append(value)
        }
        guard arguments.isEmpty ? statement.parameters <= bound : statement.parameters == values.count else {
            throw StorageError(
                .misuse,
                "a statement with parameters up to $\(statement.parameters) was given \(arguments.count) arguments, counted from $\(bound + 1)"
            )
        }
        if let unused = statement.unusedParameter
            ?? (bound == 0 && statement.parameters > 0 && !statement.usesFirst ? 1 : nil)
        {
            throw StorageError(
                .misuse, "a statement has parameters up to $\(statement.parameters) but does not use $\(unused)")
        }
        if values.count > statement.parameters { values.removeLast(values.count - statement.parameters) }
        return values
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "_")
        }
    }
}

extension Transaction {
    /// What all scopes of one transaction share, for as long as one run of its body lasts.
    final class Core {
        let catalogue: StatementCatalogue
        var afterCommit: [@Sendable () -> Void] = []
        let isWriting: Bool
        let began: UInt64
        private var session: (any Session)?
        private var failure: StorageError?
        private var isStreaming = false

        init(_ session: any Session, _ catalogue: StatementCatalogue, isWriting: Bool, began: UInt64) {
            self.session = session
            self.isWriting = isWriting
            self.began = began
            self.catalogue = catalogue
        }

        /// Notes that the transaction can only be rolled back.
        func fail(_ error: StorageError) -> StorageError {
            if failure == nil { failure = error }
            return error
        }

        /// Lets `act` use the session, notes its failure, and throws the error of the caller's own body that it returns.
        func use(isStream: Bool, _ act: (any Session) throws -> (Int, (any Error)?)) throws -> Int {
            guard let session else { throw StorageError(.misuse, "a transaction was used after its body had returned") }
            guard !isStreaming else {
                throw fail(StorageError(.misuse, "the body of forEach must not use the transaction: collect first"))
            }
            if let failure { throw failure }
            isStreaming = isStream
            defer { isStreaming = false }
            let result: (Int, (any Error)?)
            do {
                result = try act(session)
            } catch let error as StorageError {
                throw fail(error)
            }
            if let bodyError = result.1 { throw bodyError }
            return result.0
        }

        /// Ends the use of this transaction and throws when one of its statements had failed.
        func finish() throws {
            session = nil
            if let failure { throw failure }
        }

        /// Ends the use of this transaction after its body threw.
        func abandon() { session = nil }
    }
}
