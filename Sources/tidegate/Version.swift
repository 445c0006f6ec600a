/// What this program is.
enum Program {
    /// The version that `--version`, the API and the package name.
    static let version = "0.1.0"
}
