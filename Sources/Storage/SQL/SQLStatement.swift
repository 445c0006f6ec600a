/// One data statement, analysed once: which tables and parameters it names and how SQLite writes it.
final class SQLStatement: Sendable {
    /// The text as its part wrote it, and as PostgreSQL takes it.
    let text: String
    /// The text with `?n` for `$n`. SQLite takes `$2` for a *named* parameter and would number it by first appearance.
    let sqliteText: String
    /// The highest parameter number.
    let parameters: Int
    /// The lowest number between 2 and the highest that is not used, if there is one.
    let unusedParameter: Int?
    /// Whether the statement uses `$1`.
    let usesFirst: Bool
    /// Every table that the statement names, in lower case.
    let tables: Set<String>
    /// Whether engines may keep its prepared form.
    let isKept: Bool

    /// Analyses a single data statement, or throws misuse when it is none or not in the shared dialect.
    init(_ text: String, isKept: Bool) throws {
        guard text.utf8.count <= StorageLimits.statementBytes else {
            throw StorageError(.misuse, "a statement is longer than \(StorageLimits.statementBytes) bytes")
        }
        var scanner = SQLScanner(text)
        var finder = TableFinder()
        var rewritten = ""
        var copied = 0
        var used: Set<Int> = []
        var isFirst = true
        var isEnded = false
        while let token = try scanner.next() {
            if isEnded { throw StorageError(.misuse, "one call takes one statement") }
            if isFirst {
                guard case .word(let verb) = token, Self.verbs.contains(verb) else {
                    throw StorageError(.misuse, "only SELECT, INSERT, UPDATE, DELETE, WITH and VALUES run here")
                }
                isFirst = false
            }
            switch token {
            case .parameter(let number):
                used.insert(number)
                rewritten += scanner.text(copied..<scanner.start)
                rewritten += "?\(number)"
                copied = scanner.position
            case .symbol(UInt8(ascii: ";")): isEnded = true
            default: break
            }
            finder.take(token)
        }
        guard !isFirst else { throw StorageError(.misuse, "the statement is empty") }
        self.text = text
        sqliteText = rewritten + scanner.text(copied..<text.utf8.count)
        let parameters = used.max() ?? 0
        self.parameters = parameters
        usesFirst = used.contains(1)
        unusedParameter = parameters > 2 ? (2...parameters).first { !used.contains($0) } : nil
        tables = finder.tables
        self.isKept = isKept
    }

    private static let verbs: Set<String> = ["select", "insert", "update", "delete", "with", "values"]
}
