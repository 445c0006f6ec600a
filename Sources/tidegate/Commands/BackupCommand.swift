import ArgumentParser
import Audit
import Backup
import Base
import Foundation
import Storage
import Trust

/// `tidegate backup …`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Makes encrypted copies of a server, puts them back, and tries them out.",
        discussion: """
            A backup is two files of the same name: NAME.backup has all data, NAME.keys has what opens it. Both need the \
            recovery key, which the first backup writes to DATA/backup/recovery.key: keep it where the backups are not, \
            then remove that file. A server makes a backup every day by itself.
            """,
        subcommands: [BackupCreateCommand.self, BackupRestoreCommand.self, BackupDrillCommand.self])
}

/// `tidegate backup create`
struct BackupCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes a backup now, of a running server or of a stopped one's data directory.",
        discussion: """
            Examples:
              tidegate backup create --data /var/lib/tidegate
              tidegate backup create --data /var/lib/tidegate --to /mnt/backups --keys-to /media/stick
            """)

    @OptionGroup var options: ServeOptions
    @Option(help: "The directory for the archive, when the server is stopped; a running one has its own setting.")
    var to: String?
    @Option(name: .customLong("keys-to"), help: "The directory for the key bundle; the archive's by default.")
    var keysTo: String?
    @Flag(help: "Print JSON for programs.") var json = false

    func validate() throws {
        guard keysTo == nil || to != nil else { throw ValidationError("--keys-to goes with --to") }
    }

    func run() async throws {
        try await Startup.run {
            let created: JSONValue
            if to == nil, let answer = try await online() { created = answer } else { created = try await offline() }
            print(
                json ? created.canonical : AdminOutput.object(created, first: ["archive", "keys", "created", "bytes"]))
            if let path = created["recoveryKey"]?.string {
                AdminOutput.warn(
                    "Without the recovery key in \(path) this backup opens for nobody. Copy it to a place where the "
                        + "backups are not, then remove that file: backups go on without it.")
            }
        }
    }

    /// Asks the running server; nil when none runs.
    private func online() async throws -> JSONValue? {
        do {
            return try await AdminClient(.socket("\(options.data)/admin.sock")).send(.post, "/api/v1/backups")
        } catch let failure as AdminFailure where failure.isUnreachable {
            return nil
        }
    }

    /// Copies a data directory that no server holds.
    private func offline() async throws -> JSONValue {
        let configuration = try options.configuration()
        guard FileManager.default.fileExists(atPath: "\(options.data)/keys/seal.key") else {
            throw ConfigurationError("\(options.data) is no server's data directory; name it with --data")
        }
        guard let deployment = DeploymentName(configuration.deployment) else {
            throw ConfigurationError("deployment \(configuration.deployment) is no host name such as fleet.example.com")
        }
        // While the lock is held no server starts, so the files stay as they are.
        let directory = try DataDirectory.open(options.data)
        let layout = DataLayout(directory.path)
        guard let archives = to ?? configuration.backups(in: layout) else {
            throw ConfigurationError("backup.directory is `none`; say where with --to")
        }
        let database = try await ServerParts.openDatabase(configuration, directory: layout.directory)
        try await database.migrate(ServerParts.schema)
        let audit = try AuditLog(
            database: database, keyRing: KeyRing(directory: layout.keys, columns: ServerParts.sealedColumns),
            deployment: deployment, directory: layout.audit)
        let backups = Backups(
            database: database, layout: layout, audit: audit, deployment: deployment, program: Program.version)
        let created = try await backups.create(
            in: archives, keysIn: to == nil ? configuration.backupKeys : keysTo, by: .system("operator"))
        await database.close()
        _ = consume directory
        return created.json
    }
}

/// What restore and drill open a backup with.
struct BackupSource: ParsableArguments {
    @Option(help: "The key bundle (NAME.keys); beside the archive by default.") var keys: String?
    @Option(
        name: .customLong("recovery-key"),
        help: "The file with the recovery key; its text may be in $TIDEGATE_RECOVERY_KEY instead.")
    var recoveryKey: String?

    /// The recovery key that is given, or that lies at `path`.
    func key(orAt path: String?) throws -> RecoveryKey {
        if recoveryKey == nil, let text = ProcessInfo.processInfo.environment["TIDEGATE_RECOVERY_KEY"], !text.isEmpty {
            return try RecoveryKey(text)
        }
        guard let file = recoveryKey ?? path.flatMap({ FileManager.default.fileExists(atPath: $0) ? $0 : nil }) else {
            throw ConfigurationError(
                "a backup needs its recovery key: give --recovery-key FILE or $TIDEGATE_RECOVERY_KEY")
        }
        guard let bytes = FileManager.default.contents(atPath: file), bytes.count <= 16 * 1024 else {
            throw ConfigurationError("\(file): can not be read as a recovery key")
        }
        return try RecoveryKey(String(decoding: bytes, as: UTF8.self))
    }
}

/// `tidegate backup restore`
struct BackupRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Makes a new data directory from a backup; never writes over data.",
        discussion: """
            Examples:
              tidegate backup restore /mnt/backups --data /var/lib/tidegate-new --recovery-key recovery.key
              tidegate backup restore NAME.backup --keys NAME.keys --data DIR --database postgres://user@host/empty
            """)

    @Argument(help: "The archive (NAME.backup), or a directory whose newest is taken.") var path: String
    @OptionGroup var source: BackupSource
    @Option(help: "The data directory to make; it must be absent or empty.") var data: String
    @Option(help: "An empty PostgreSQL database to restore into, instead of a SQLite file.") var database: String?
    @Option(
        help:
            "What the lost server signed of its audit logs: a copy of its audit directory, of checkpoints.log, or one checkpoint; may be given again."
    )
    var known: [String] = []

    func run() async throws {
        try await Startup.run {
            let pair = try BackupPair.find(path, keys: source.keys)
            let restoration = try Restoration(
                archive: pair.archive, keys: pair.keys, recoveryKey: source.key(orAt: nil), schema: ServerParts.schema,
                release: { try Release.signIns($0, at: $1) })
            Startup.say("Checking \(pair.archive) before anything is written.")
            var known = KnownCheckpoints()
            for path in self.known { known.formUnion(try KnownCheckpoints(at: path)) }
            let restored = try await restoration.restore(into: data, postgres: database, known: known)
            let contents = restored.contents
            Startup.say(
                "Restored to \(data): everything up to \(contents.manifest.created.rfc3339), \(contents.bytes) bytes, "
                    + "\(contents.partitions) partitions of telemetry.")
            Startup.say(Self.text(restored.logs, data))
            Startup.say("Now:")
            for (index, step) in restored.nextSteps.enumerated() { Startup.say("  \(index + 1). \(step)") }
        }
    }

    /// What the audit's verification will say from now on.
    private static func text(_ logs: [AuditLog.DeclaredRestoration], _ data: String) -> String {
        var lines = [
            "The audit logs are rolled back to the backup, and each declares it, signed with its own key. `tidegate verify "
                + "audit --data \(data)` reports it as declared and not as damage:"
        ]
        for log in logs {
            var line = "  log \(log.tenant): rolled back to \(log.kept) entries"
            if let known = log.known {
                let when = log.knownAt.map { " of \($0.rfc3339)" } ?? ""
                line += "; a checkpoint\(when) knows \(known), so \(known - log.kept) are lost"
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }
}

/// `tidegate backup drill`
struct BackupDrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Restores a backup into a temporary directory, verifies all of it, and removes it again.",
        discussion: """
            It checks the audit logs, opens every chunk and replays the telemetry log. Exit codes: 0 sound, 1 not.

            Example: tidegate backup drill --data /var/lib/tidegate
            """)

    @Argument(help: "The archive, or a directory whose newest is taken; the server's own backups by default.")
    var path: String?
    @OptionGroup var options: ServeOptions
    @OptionGroup var source: BackupSource
    @Option(
        help: "Where the temporary directory goes; it needs room for all data, which lies there unencrypted meanwhile.")
    var scratch: String?
    @Flag(help: "Print JSON for programs.") var json = false

    func run() async throws {
        var isSound = false
        try await Startup.run {
            let layout = DataLayout(options.data)
            let configuration = try options.configuration()
            guard let place = path ?? configuration.backups(in: layout) else {
                throw ConfigurationError("backup.directory is `none`; name the backup")
            }
            let pair = try BackupPair.find(
                place, keys: source.keys, keysIn: path == nil ? configuration.backupKeys : nil)
            let drill = Drill(
                archive: pair.archive, keys: pair.keys, recoveryKey: try source.key(orAt: layout.recoveryKey),
                schema: ServerParts.schema)
            let report = try await drill.run(scratch: scratch ?? FileManager.default.temporaryDirectory.path)
            isSound = report.isSound
            Startup.say(json ? report.json.canonical : Self.text(report, pair.archive))
        }
        if !isSound { throw ExitCode(1) }
    }

    private static func text(_ report: Drill.Report, _ archive: String) -> String {
        let entries = report.audit.reduce(0) { $0 + $1.entries }
        var lines = [
            "\(report.isSound ? "sound" : "NOT SOUND"): \(archive), everything up to \(report.contents.manifest.created.rfc3339)",
            "  audit      \(report.audit.count) logs, \(entries) entries verified",
            "  telemetry  \(report.chunks) chunks opened, \(report.points) points decoded, \(report.replayedBytes) bytes replayed from the log",
        ]
        for problem in report.problems { lines.append("  problem: \(problem)") }
        if report.problemCount > report.problems.count {
            lines.append("  and \(report.problemCount - report.problems.count) more problems")
        }
        return lines.joined(separator: "\n")
    }
}

extension Configuration {
    /// Where a server with this layout puts its backups; nil when it makes none.
    func backups(in layout: DataLayout) -> String? {
        switch backupDirectory {
        case "none": nil
        case nil, "backups": layout.archives
        case let path?: path
        }
    }
}
