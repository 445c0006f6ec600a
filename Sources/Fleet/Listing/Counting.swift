import Base
import Storage

/// How many of all that match a list counts beside its page, which costs a scan of them.
public enum Counting: Hashable, Sendable {
    /// None.
    case nothing
    /// Every one.
    case all
    /// Every one up to this many; beyond it only that there are more.
    case upTo(Int)
}

/// How many match.
public struct Count: Hashable, Sendable {
    /// How many were counted.
    public let number: Int
    /// Whether there are more than that.
    public let hasMore: Bool
}

extension Counting {
    /// Counts the lines of `source`, such as `device d WHERE …`; nil when nothing is to be counted.
    ///
    /// - Parameter whole: What the page holds when it is the first and the last, so that nothing needs a scan.
    func count(_ source: String, _ sql: SQLBuilder, whole: Int?, in transaction: Transaction) throws -> Count? {
        if self == .nothing { return nil }
        if let whole { return Count(number: whole, hasMore: false) }
        var sql = sql
        let statement =
            switch self {
            case .nothing, .all: "SELECT count(*) FROM \(source)"
            case .upTo(let most): "SELECT count(*) FROM (SELECT 1 FROM \(source) LIMIT \(sql.bind(most + 1))) counted"
            }
        let number = try transaction.row(statement, arguments: sql.arguments).map { try $0.int(0) } ?? 0
        guard case .upTo(let most) = self, number > most else { return Count(number: number, hasMore: false) }
        return Count(number: most, hasMore: true)
    }
}
