/// The tables that a database's migrations make, and which of them belong to tenants.
///
/// A table whose first column is `tenant` is a tenant table: that one rule is read from the migrations themselves, so
/// that no second list can fall behind.
struct Schema: Sendable {
    /// Every table, in the order of creation.
    private(set) var tables: [String] = []
    /// The tenant tables.
    private(set) var tenantTables: Set<String> = []

    /// Follows one migration's statements.
    mutating func apply(_ migration: Migration) throws {
        for statement in try Self.statements(migration.sql) { try apply(statement.tokens) }
    }

    /// Splits a migration into its statements, each with its tokens.
    static func statements(_ sql: String) throws -> [(text: String, tokens: [SQLScanner.Token])] {
        var scanner = SQLScanner(sql)
        var result: [(text: String, tokens: [SQLScanner.Token])] = []
        var tokens: [SQLScanner.Token] = []
        var first = 0
        while let token = try scanner.next() {
            if token == .symbol(UInt8(ascii: ";")) {
                if !tokens.isEmpty { result.append((scanner.text(first..<scanner.start), tokens)) }
                tokens = []
            } else {
                if tokens.isEmpty { first = scanner.start }
                if case .parameter = token { throw StorageError(.misuse, "a migration has no arguments") }
                tokens.append(token)
            }
        }
        if !tokens.isEmpty { result.append((scanner.text(first..<scanner.position), tokens)) }
        return result
    }

    private mutating func apply(_ tokens: [SQLScanner.Token]) throws {
        var words = Words(tokens)
        switch words.next() {
        case "create":
            switch words.next() {
            case "table": try create(&words)
            case "index", "unique": break
            case let other: throw refusal("CREATE \(other?.uppercased() ?? "")")
            }
        case "alter":
            guard words.next() == "table" else { throw refusal("ALTER of anything but a table") }
            words.skip("if", "exists")
            let old = try words.name()
            if words.next() == "rename", words.next() == "to" { rename(old, try words.name()) }
        case "drop":
            switch words.next() {
            case "index": break
            case "table":
                words.skip("if", "exists")
                drop(try words.name())
                if !words.isAtEnd { throw refusal("DROP of several tables, CASCADE or RESTRICT") }
            case let other: throw refusal("DROP \(other?.uppercased() ?? "")")
            }
        case "insert", "update", "delete", "with": break
        case let other: throw refusal(other?.uppercased() ?? "a statement that begins with no word")
        }
    }

    private mutating func create(_ words: inout Words) throws {
        words.skip("if", "not", "exists")
        let table = try words.name()
        guard words.takes(UInt8(ascii: "(")) else { throw refusal("CREATE TABLE without a list of columns") }
        guard !tables.contains(table) else { throw StorageError(.misuse, "two migrations create the table \(table)") }
        tables.append(table)
        if try words.name() == "tenant" { tenantTables.insert(table) }
    }

    private mutating func rename(_ old: String, _ new: String) {
        guard let index = tables.firstIndex(of: old) else { return }
        tables[index] = new
        if tenantTables.remove(old) != nil { tenantTables.insert(new) }
    }

    private mutating func drop(_ table: String) {
        tables.removeAll { $0 == table }
        tenantTables.remove(table)
    }

    /// Views and triggers would hide tenant tables from the check, and their SQL differs between the engines.
    private func refusal(_ what: String) -> StorageError {
        StorageError(.misuse, "migrations create, alter and drop tables and indexes and change rows, but not: \(what)")
    }

    /// Reads tokens one after the other.
    private struct Words {
        private var rest: ArraySlice<SQLScanner.Token>

        init(_ tokens: [SQLScanner.Token]) { rest = tokens[...] }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func next() -> String? {
            if case .word(let word) = rest.popFirst() { word } else { nil }
        }

        mutating func skip(_ words: String...) {
            guard rest.count >= words.count, zip(rest, words).allSatisfy({ $0 == .word($1) }) else { return }
            rest.removeFirst(words.count)
        }

        mutating func takes(_ symbol: UInt8) -> Bool { rest.popFirst() == .symbol(symbol) }

        mutating func name() throws -> String {
            switch rest.popFirst() {
            case .word(let name), .quoted(let name):
                guard rest.first != .symbol(UInt8(ascii: ".")) else {
                    throw StorageError(.misuse, "\(name) is qualified: migrations name tables without their schema")
                }
                return name
            default: throw StorageError(.misuse, "a migration's statement has no name where one belongs")
            }
        }
    }
}
