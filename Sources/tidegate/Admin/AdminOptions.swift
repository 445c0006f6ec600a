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

    @Option(help: "The token to use with --url. Better: $TIDEGATE_TOKEN, which no process list shows.")
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

    /// The server that the options name. What is said on the command line counts before what the environment says.
    var target: AdminTarget {
        get throws {
            let address = url ?? (data == nil ? Self.environment("TIDEGATE_URL") : nil)
            guard let address else { return .socket(dataDirectory + "/admin.sock") }
            guard let parsed = URLComponents(string: address), parsed.scheme == "https", let host = parsed.host,
                !host.isEmpty
            else { throw ValidationError("--url must look like https://host:8443, not \(address)") }
            guard let token = token ?? Self.environment("TIDEGATE_TOKEN") else {
                throw ValidationError("--url needs a token: set TIDEGATE_TOKEN, or give --token")
            }
            return .https(
                host: host, port: parsed.port ?? 443, token: token, trust: ca ?? Self.environment("TIDEGATE_CA"))
        }
    }
}
