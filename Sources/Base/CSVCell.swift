/// The cells of comma-separated lists (RFC 4180).
public enum CSVCell {
    /// A text, quoted when it must be. One that a spreadsheet would run as a formula is led by an apostrophe.
    public static func text(_ text: String) -> String {
        let isFormula = text.utf8.first.map { "=+-@\t\r".utf8.contains($0) } ?? false
        let safe = isFormula ? "'" + text : text
        return safe.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) ? quoted(safe) : safe
    }

    /// A text in quotes, just as it is. It goes by bytes, as who reads the list does: an accent behind a quotation mark
    /// makes it another character, and no other byte.
    public static func quoted(_ text: String) -> String {
        let parts = text.utf8.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
        return "\"" + String(decoding: Array(parts.joined(separator: "\"\"".utf8)), as: UTF8.self) + "\""
    }

    /// One line of such cells, with its end.
    public static func line(_ cells: [String]) -> String { cells.map(text).joined(separator: ",") + "\r\n" }
}
