/// The cells of comma-separated lists (RFC 4180).
public enum CSVCell {
    /// A text, quoted when it must be. One that a spreadsheet would run as a formula is led by an apostrophe.
    public static func text(_ text: String) -> String {
        let isFormula = text.utf8.first.map { "=+-@\t\r".utf8.contains($0) } ?? false
        let safe = isFormula ? "'" + text : text
        guard safe.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return safe }
        return "\"" + safe.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// One line of such cells, with its end.
    public static func line(_ cells: [String]) -> String { cells.map(text).joined(separator: ",") + "\r\n" }
}
