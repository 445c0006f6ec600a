/// Finds the tables that a data statement names, from its tokens.
///
/// It knows where SQL allows a table: after FROM, JOIN, INTO, UPDATE, USING, TABLE, ONLY and SQLite's IN, and after the
/// commas of a FROM list, at every depth of parentheses. When in doubt it reports a name that is none (a common table
/// expression, `IS DISTINCT FROM column`): that can only refuse too much, which a test shows at once.
struct TableFinder {
    private struct Level {
        var expectsTable = false
        var isInList = false
    }

    private(set) var tables: Set<String> = []
    private var levels: [Level] = []
    private var current = Level()
    /// Set after a name that may go on with `.name`, whose last part is the table.
    private var isAfterName = false
    private var isAfterDot = false

    mutating func take(_ token: SQLScanner.Token) {
        let wasAfterName = isAfterName
        let wasAfterDot = isAfterDot
        isAfterName = false
        isAfterDot = false
        switch token {
        case .word(let word):
            if wasAfterDot { name(word) } else { keywordOrName(word) }
        case .quoted(let word):
            if wasAfterDot || current.expectsTable { name(word) }
        case .symbol(UInt8(ascii: ".")):
            isAfterDot = wasAfterName
        case .symbol(UInt8(ascii: "(")):
            levels.append(current)
            current = Level(expectsTable: current.expectsTable, isInList: current.expectsTable)
        case .symbol(UInt8(ascii: ")")):
            current = levels.popLast() ?? Level()
            current.expectsTable = false
        case .symbol(UInt8(ascii: ",")):
            current.expectsTable = current.isInList
        default:
            current.expectsTable = false
        }
    }

    private mutating func keywordOrName(_ word: String) {
        if Self.introducers.contains(word) {
            current = Level(expectsTable: true, isInList: word == "from" || word == "using" || current.isInList)
        } else if Self.fillers.contains(word) {
            return
        } else if Self.enders.contains(word) {
            current = Level()
        } else if current.expectsTable {
            name(word)
        }
    }

    private mutating func name(_ word: String) {
        tables.insert(word)
        current.expectsTable = false
        isAfterName = true
    }

    private static let introducers: Set<String> = ["from", "join", "into", "update", "using", "table", "in"]
    private static let fillers: Set<String> = [
        "only", "lateral", "or", "replace", "ignore", "abort", "fail", "rollback",
    ]
    private static let enders: Set<String> = [
        "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "union", "intersect",
        "except",
        "returning", "set", "select", "values", "with", "default",
    ]
}
