import ArgumentParser
import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// `tidegate admin prove`: somebody who has logged in proves once more that it is them.
struct ProveCommand: AdminVerb {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Proves once more that it is you, for what asks for it; counts for ten minutes.",
        discussion: """
            It reads a line from the terminal, without showing it, or from a pipe.

            Example: tidegate admin prove --url https://fleet.example.com:8443 --by totp
            """)

    /// What somebody can type; a passkey needs a browser.
    enum Means: String, ExpressibleByArgument, CaseIterable {
        case totp, recovery, password
    }

    @OptionGroup var options: AdminOptions
    @Option(
        help: "What you type: the code of an authenticator (totp), a recovery code, or, without factors, the password.")
    var by: Means = .totp

    func act(_ server: AdminClient) async throws {
        let typed = try Self.read("\(by.rawValue): ")
        _ = try await server.send(.post, "/api/v1/me/proofs", .json([by.rawValue: .string(typed)]))
        done(.null, "That counts for ten minutes.")
    }

    private static func read(_ prompt: String) throws -> String {
        var before = termios()
        let isTerminal = tcgetattr(STDIN_FILENO, &before) == 0
        if isTerminal {
            AdminOutput.warn(prompt)
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer { if isTerminal { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) } }
        guard let line = readLine(), !line.isEmpty else { throw AdminFailure("Nothing was typed.") }
        return line
    }
}
