import ArgumentParser
import FoundationEssentials

/// Where the server is and how answers are shown; every administrative command takes these, before or after its name.
struct AdminOptions: ParsableArguments {
    @Option(
        help:
            "The server's data directory; commands go through its admin.sock. Default: $TIDEGATE_DATA, or ./data when a server runs there, or \(Self.packagedData)."
    )
    var data: String?

    @Option(help: "The server's address instead, such as https://tidegate.example.com:8443. Default: $TIDEGATE_URL.")
    var url: String?

    @Option(
        help:
            "The token to use with --url. Better: $TIDEGATE_TOKEN, which no process list shows, or tidegate login."
    )
    var token: String?

    @Option(help: "The certificates to trust with --url, a PEM file. Default: $TIDEGATE_CA, or the system's.")
    var ca: String?

    @Flag(help: "Print JSON for programs.")
    var json = false

    /// Where a packaged server keeps its data.
    static let packagedData = "/var/lib/tidegate"
    /// Where `tidegate serve` keeps it unless told otherwise.
    private static let ownData = "./data"

    private static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The data directory, given or assumed.
    var dataDirectory: String {
        if let named = data ?? Self.environment("TIDEGATE_DATA") { return named }
        return FileManager.default.fileExists(atPath: Self.ownData + "/admin.sock") ? Self.ownData : Self.packagedData
    }

    /// The server that the options name. What is said on the command line counts before what the environment says, and
    /// a token before what `tidegate login` has stored.
    func target() async throws -> AdminTarget {
        let named = url ?? (data == nil ? Self.environment("TIDEGATE_URL") : nil)
        guard let named else { return .socket(dataDirectory + "/admin.sock") }
        guard let address = LoginAddress(named) else {
            throw ValidationError("--url must look like https://host:8443, not \(named)")
        }
        let trust = ca ?? Self.environment("TIDEGATE_CA")
        if let token = token ?? Self.environment("TIDEGATE_TOKEN") {
            return .https(host: address.host, port: address.port, token: token, trust: trust)
        }
        let stored = try await LoginCommand.stored(
            at: address.text, host: address.host, port: address.port, trust: trust)
        guard let stored else {
            throw ValidationError(
                "--url needs a token: log in with tidegate login --url \(named), set TIDEGATE_TOKEN, or give --token")
        }
        return stored
    }
}
