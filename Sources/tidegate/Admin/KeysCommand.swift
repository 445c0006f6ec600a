import ArgumentParser
import Base

/// `tidegate admin keys …`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The keys that seal secrets in the database.", subcommands: [Rotate.self])

    struct Rotate: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes new keys and seals again what the old ones sealed.",
            discussion: """
                Examples:
                  tidegate admin keys rotate            every tenant's key
                  tidegate admin keys rotate --tenant acme
                  tidegate admin keys rotate --maintenance [--tenant acme]
                                                        the keys that sign what devices are told
                  tidegate admin keys rotate --root     the key above them
                  tidegate admin keys rotate --seal     the key file's key

                It may be stopped at any time: --resume goes on where it was.
                """)

        @OptionGroup var options: AdminOptions
        @Option(help: "Only this tenant's key.") var tenant: String?
        @Flag(help: "The keys that sign what devices are told.") var maintenance = false
        @Flag(help: "The platform's root key.") var root = false
        @Flag(help: "The seal key.") var seal = false
        @Flag(help: "Make no new key, finish the rotation that was begun.") var resume = false

        func validate() throws {
            guard [tenant != nil || maintenance, root, seal, resume].count(where: { $0 }) <= 1 else {
                throw ValidationError("give one of --tenant or --maintenance, --root, --seal and --resume")
            }
        }

        func act(_ server: AdminClient) async throws {
            if !resume {
                let what = root ? "root" : seal ? "seal" : maintenance ? "maintenance" : "tenants"
                let body = JSONValue.given(["what": .string(what), "tenant": .text(tenant)])
                _ = try await server.send(.post, "/api/v1/keys/rotate", .json(body))
            }
            // What these keys signed goes on to count until it expires; nothing is sealed by them.
            if maintenance { return done([:], "Done: what devices are told is signed by new keys.") }
            while true {
                let progress = try await server.send(.post, "/api/v1/keys/step")
                let remaining = progress["remaining"]?.integer ?? 0
                if progress["idle"] == true || progress["finished"] == true {
                    return done(
                        progress,
                        remaining == 0
                            ? "Done: no old key is left."
                            : "\(remaining) old keys wait until nothing can need them any more; run this again with "
                                + "--resume later.")
                }
                AdminOutput.warn(
                    "\(progress["resealed"]?.integer ?? 0) values sealed again, \(remaining) old keys left")
            }
        }
    }
}
