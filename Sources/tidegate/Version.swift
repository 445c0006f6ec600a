import Foundation

/// What this program is.
enum Program {
    /// The version that `--version`, the API and the package name.
    static let version = "0.1.0"

    /// How the operator called it, for commands to copy: a path is made to work from any directory.
    static let command: String = {
        let name = CommandLine.arguments.first ?? "tidegate"
        return name.contains("/") ? quoted(URL(filePath: name).standardizedFileURL.path) : name
    }()

    /// `text` as one word of a shell.
    static func quoted(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "0123456789/._-+:@%".unicodeScalars.contains($0)
        }
        return isPlain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
