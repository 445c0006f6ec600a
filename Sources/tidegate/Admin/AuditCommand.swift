import ArgumentParser
import Base
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// `tidegate admin audit …`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "What was done, by whom.", subcommands: [List.self, Export.self])

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists entries, the newest first.",
            discussion: "Example: tidegate admin audit list --tenant acme --code device. --limit 20")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug; without it the platform's own log.") var tenant: String = "platform"
        @Option(help: "How the code begins, such as device. or token.created.") var code: String?
        @Option(help: "The actor's identifier.") var actor: String?
        @Option(help: "From this time on, such as 2026-01-01T00:00:00Z.") var from: String?
        @Option(help: "Until before this time.") var to: String?
        @Option(help: "How many at most.") var limit: Int = 100

        func act(_ server: AdminClient) async throws {
            let base: AdminPath = "/api/v1/tenants/\(tenant)/audit"
            let path = base.adding("code", code).adding("actor", actor).adding("from", from).adding("to", to)
            try await list(
                server, path, ["time", "code", "outcome", "actorName", "objectKind", "objectId"], limit: limit)
        }
    }

    struct Export: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Writes a tenant's log as a bundle that `tidegate verify audit` checks offline.",
            discussion: "Example: tidegate admin audit export acme.audit --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The file to write; it must not exist.") var file: String
        @Option(help: "The tenant's slug; without it the platform's own log.") var tenant: String = "platform"

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/audit/export"
            let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw AdminFailure("\(file): \(String(cString: strerror(errno)))") }
            defer { close(descriptor) }
            do {
                var count = 0
                try await server.stream(.get, path.text, accept: "*/*") { bytes in
                    try AdminOutput.bytes(bytes, to: descriptor)
                    count += bytes.readableBytes
                }
                done(["file": .string(file), "bytes": .integer(Int64(count))], "\(file): \(count) bytes.")
            } catch {
                // Half a bundle would only be found out when it is verified.
                unlink(file)
                throw error
            }
        }
    }
}
