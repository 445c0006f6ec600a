import Base
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What a command prints: JSON for programs, aligned text for people.
enum AdminOutput {
    /// Prints a line to the standard output.
    static func line(_ text: String) { print(text) }

    /// Prints a line to the standard error.
    static func warn(_ text: String) {
        let line = text + "\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// Whether somebody watches the standard error.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes over the terminal's present line.
    static func overwrite(_ text: String) {
        _ = "\r\(text)\u{1B}[K".withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// The columns of `rows`, each as wide as its widest cell, under their titles.
    static func table(_ titles: [String], _ rows: [[String]]) -> String {
        let cells = [titles.map { ($0.split(separator: ".").last ?? "").uppercased() }] + rows
        let widths = titles.indices.map { column in
            cells.map { column < $0.count ? width($0[column]) : 0 }.max() ?? 0
        }
        return cells.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                guard column < row.count - 1 else { break }
                line += String(repeating: " ", count: widths[column] - width(cell) + 2)
            }
            return line
        }.joined(separator: "\n")
    }

    /// The members of an object, one on a line, in the order given and then by name; nothing for null.
    static func object(_ value: JSONValue, first: [String]) -> String {
        guard case .object(let members) = value else { return cell(value) }
        let names = first.filter { members[$0] != nil } + members.keys.filter { !first.contains($0) }.sorted()
        let width = names.map(\.count).max() ?? 0
        return names.compactMap { name in
            guard let member = members[name], member != .null, member != [], member != [:] else { return nil }
            return name + String(repeating: " ", count: width - name.count + 2) + cell(member)
        }.joined(separator: "\n")
    }

    /// A value as one cell of a table.
    static func cell(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: "-"
        case .string(let text): printable(text)
        case .bool(let value): value ? "yes" : "no"
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .array(let elements): elements.map { cell($0) }.joined(separator: ",")
        case .object(let members):
            members.sorted { $0.key < $1.key }.map { "\(printable($0.key))=\(cell($0.value))" }.joined(separator: ",")
        }
    }

    /// Text without control characters, so that what somebody else wrote can not steer the terminal.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }

    private static func width(_ text: String) -> Int { text.count }
}

extension AdminOutput {
    /// Writes bytes to the standard output, or to another open file, as they are.
    static func bytes(_ bytes: ByteBuffer, to descriptor: Int32 = STDOUT_FILENO) throws {
        try bytes.withUnsafeReadableBytes { space in
            var rest = space[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw AdminFailure("writing: \(String(cString: strerror(errno)))") }
                rest = rest.dropFirst(count)
            }
        }
    }
}
