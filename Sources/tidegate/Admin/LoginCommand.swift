import ArgumentParser
import Base
import FoundationEssentials

/// `tidegate login`: lets a person use the command line without a token of their own making.
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Lets this command line act for you at a server.",
        discussion: """
            Example: tidegate login --url https://fleet.example.com:8443

            It shows an address and a code. Open the address in any browser, sign in, and type the code. From then on \
            `tidegate admin --url …` acts for you without a token. `tidegate logout --url …` ends that.
            """)

    @OptionGroup var server: LoginServer
    @Option(help: "What it may do for you, such as \"device.read telemetry.read\"; all that you may do by default.")
    var scope: String?

    mutating func run() async throws {
        try await server.act { client, address, trust in
            // Whether the tokens can be kept is asked before a person has let this command line in.
            try await StoredLogins.own.change(at: address) { ($0, ()) }
            var form = ["client_id": "tidegate"]
            form["scope"] = scope
            let begun = try await client.send(.post, "/oauth/device_authorization", .form(form))
            guard let code = begun["user_code"]?.string, let page = begun["verification_uri"]?.string,
                let device = begun["device_code"]?.string
            else { throw AdminFailure("The answer is not one of RFC 8628. Is this a Tidegate server?") }
            AdminOutput.warn(
                """
                Open this address in a browser, sign in, and type the code:

                    \(AdminOutput.printable(page))
                    \(AdminOutput.printable(code))

                """)
            let login = try await Self.wait(client, device, pause: begun["interval"]?.integer ?? 5, trust)
            try await StoredLogins.own.change(at: address) { _ in (login, ()) }
            AdminOutput.warn("You are logged in at \(address); the tokens are in \(StoredLogins.own.path).")
        }
    }

    /// Asks until the person has answered.
    private static func wait(
        _ client: AdminClient, _ device: String, pause: Int64, _ trust: String?
    ) async throws -> StoredLogins.Login {
        var pause = min(max(pause, 1), 60)
        let form = [
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device,
            "client_id": "tidegate",
        ]
        while true {
            try await Task.sleep(for: .seconds(pause))
            do {
                return try login(try await client.send(.post, "/oauth/token", .form(form)), trust)
            } catch let refusal as AdminRefusal {
                switch refusal.problem["error"]?.string {
                case "authorization_pending": continue
                case "slow_down": pause = min(pause + 5, 60)
                case "access_denied": throw AdminFailure("You were not let in: the answer in the browser was no.")
                case "expired_token": throw AdminFailure("Nobody typed the code within ten minutes. Log in again.")
                default: throw refusal
                }
            }
        }
    }

    private static func login(_ answer: JSONValue, _ trust: String?) throws -> StoredLogins.Login {
        guard let access = answer["access_token"]?.string, let refresh = answer["refresh_token"]?.string,
            let seconds = answer["expires_in"]?.integer, (0...31_536_000).contains(seconds)
        else { throw AdminFailure("The answer holds no tokens. Is this a Tidegate server?") }
        return StoredLogins.Login(
            access: access, refresh: refresh, expires: WallClock.system.now + .seconds(seconds), trust: trust)
    }

    /// The access token that is stored for a server, a new one when the old one ends soon; nil when there is none.
    static func stored(at address: String, host: String, port: Int, trust: String?) async throws -> AdminTarget? {
        let logins = StoredLogins.own
        guard let kept = try logins.login(at: address) else { return nil }
        let trust = trust ?? kept.trust
        func target(_ token: String) -> AdminTarget { .https(host: host, port: port, token: token, trust: trust) }
        if kept.expires > WallClock.system.now + .seconds(30) { return target(kept.access) }
        let token = try await logins.change(at: address) { login -> (StoredLogins.Login?, String?) in
            guard let login else { return (nil, nil) }
            // Another command may have been quicker.
            if login.expires > WallClock.system.now + .seconds(30) { return (login, login.access) }
            let form = ["grant_type": "refresh_token", "refresh_token": login.refresh, "client_id": "tidegate"]
            do {
                let answer = try await AdminClient(target("")).send(.post, "/oauth/token", .form(form))
                let next = try Self.login(answer, login.trust)
                return (next, next.access)
            } catch let refusal as AdminRefusal where refusal.problem["error"] == "invalid_grant" {
                return (nil, nil)
            }
        }
        guard let token else {
            throw AdminFailure("Your login at \(address) has ended. Log in again: tidegate login --url \(address)")
        }
        return target(token)
    }
}

/// `tidegate logout`: ends what `login` began.
struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Ends this command line's right to act for you at a server.")

    @OptionGroup var server: LoginServer

    mutating func run() async throws {
        try await server.act { client, address, _ in
            let had = try await StoredLogins.own.change(at: address) { login -> (StoredLogins.Login?, Bool) in
                guard let login else { return (nil, false) }
                _ = try await client.send(
                    .post, "/oauth/revoke", .form(["token": login.refresh, "client_id": "tidegate"]))
                return (nil, true)
            }
            AdminOutput.warn(had ? "You are logged out at \(address)." : "You were not logged in at \(address).")
        }
    }
}

/// Which server to log in at.
struct LoginServer: ParsableArguments {
    @Option(help: "The server's address, such as https://fleet.example.com:8443. Default: $TIDEGATE_URL.")
    var url: String?
    @Option(help: "The certificates to trust, a PEM file. Default: $TIDEGATE_CA, or the system's.")
    var ca: String?

    /// Does something with a client of the server, its address as it is stored, and the certificates to trust.
    func act(_ body: (AdminClient, String, String?) async throws -> Void) async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let text = url ?? environment["TIDEGATE_URL"], let server = LoginAddress(text) else {
            throw ValidationError("--url must look like https://host:8443")
        }
        // A relative path would mean another file elsewhere.
        let trust = (ca ?? environment["TIDEGATE_CA"]).map { path in
            path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        }
        let kept = try? StoredLogins.own.login(at: server.text)
        let client = AdminClient(
            .https(host: server.host, port: server.port, token: "", trust: trust ?? kept?.trust))
        do {
            try await body(client, server.text, trust)
        } catch let refusal as AdminRefusal {
            AdminOutput.warn("Error: \(refusal.problem["error_description"]?.string ?? refusal.description)")
            throw ExitCode(1)
        } catch let failure as AdminFailure {
            AdminOutput.warn("Error: \(failure)")
            throw ExitCode(failure.isUnreachable ? 2 : 1)
        } catch let refusal as Refusal {
            AdminOutput.warn("Error: \(refusal.message)")
            throw ExitCode(1)
        }
    }
}

/// A server's address in its one spelling, `https://host:port`.
struct LoginAddress: Equatable {
    /// The host.
    let host: String
    /// The port.
    let port: Int

    /// The address that `text` spells, or nil when it is not one of https.
    init?(_ text: String) {
        guard let parsed = URLComponents(string: text), parsed.scheme == "https", let host = parsed.host, !host.isEmpty
        else { return nil }
        self.host = host
        port = parsed.port ?? 443
    }

    /// The spelling.
    var text: String { "https://\(host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host):\(port)" }
}
