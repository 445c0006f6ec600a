import Base
import FoundationEssentials
import Trust

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What `tidegate login` has stored: for each server the tokens that a person let this command line have.
struct StoredLogins {
    /// The tokens for one server.
    struct Login: Sendable, Equatable {
        /// Ends with each request to refresh it.
        var access: String
        /// What it can be exchanged for; used once.
        var refresh: String
        /// When the access token ends.
        var expires: Timestamp
        /// The certificates to trust, a PEM file; the system's when nil.
        var trust: String?
    }

    /// The file, readable by its owner only.
    let path: String

    /// The user's own file: `$TIDEGATE_LOGIN`, or `tidegate/login.json` below the user's configuration directory.
    static var own: StoredLogins {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["TIDEGATE_LOGIN"], !path.isEmpty { return StoredLogins(path: path) }
        let base =
            environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? (environment["HOME"] ?? ".") + "/.config"
        return StoredLogins(path: base + "/tidegate/login.json")
    }

    /// The tokens for a server, if there are any.
    func login(at server: String) throws -> Login? { try read()[server] }

    /// Reads, changes and stores the tokens for a server, while no other command line does.
    ///
    /// A refresh token counts once, so two commands at the same time must not both use it: the server would take the
    /// second for a thief and end both.
    func change<Result>(
        at server: String, _ body: (Login?) async throws -> (login: Login?, result: Result)
    ) async throws -> Result {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        if !folder.isEmpty {
            let above = folder.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            if !above.isEmpty { _ = mkdir(above, 0o700) }
            try SecretFile.createDirectory(folder, for: .owner)
        }
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw AdminFailure("\(path).lock: \(String(cString: strerror(errno)))") }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw AdminFailure("\(path).lock: \(String(cString: strerror(errno)))") }
        }
        var all = try read()
        let before = all[server]
        let (login, result) = try await body(before)
        if login != before {
            all[server] = login
            try SecretFile.replace(path, with: Array(Self.json(all).canonical.utf8))
        }
        return result
    }

    private func read() throws -> [String: Login] {
        guard SecretFile.exists(path) else { return [:] }
        let bytes = try SecretFile.read(path)
        guard let json = try? JSONValue(parsing: bytes), case .object(let servers) = json["servers"] else {
            throw AdminFailure("\(path) is not readable; remove it and log in again.")
        }
        return servers.compactMapValues { value in
            guard let access = value["access"]?.string, let refresh = value["refresh"]?.string,
                let expires = value["expires"]?.string.flatMap({ Timestamp(rfc3339: $0) })
            else { return nil }
            return Login(access: access, refresh: refresh, expires: expires, trust: value["trust"]?.string)
        }
    }

    private static func json(_ logins: [String: Login]) -> JSONValue {
        [
            "servers": .object(
                logins.mapValues { login in
                    [
                        "access": .string(login.access), "refresh": .string(login.refresh),
                        "expires": .string(login.expires.rfc3339),
                        "trust": login.trust.map { .string($0) } ?? .null,
                    ]
                })
        ]
    }
}
