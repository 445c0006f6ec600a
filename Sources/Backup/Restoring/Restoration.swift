public import Audit
public import Base
import Blobs
import FoundationEssentials
public import Storage
import Telemetry
import Trust

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Puts a backup back.
///
/// It reads and writes files on the thread it runs on: for a command of its own, not inside a server.
public struct Restoration: Sendable {
    /// What a restore has made.
    public struct Restored: Sendable, Hashable {
        /// What was in the archive.
        public let contents: BackupContents
        /// How far each audit log was put back, which is declared in it.
        public let logs: [AuditLog.DeclaredRestoration]
        /// What the operator does now, a sentence each.
        public let nextSteps: [String]
    }

    private static let unfinished = "restoring"
    /// What may lie in a data directory that counts as empty.
    private static let ignored: Set<String> = [unfinished, "lost+found"]

    private let archive: String
    private let bundle: KeyBundle
    private let schema: [MigrationPart]
    private let clock: WallClock
    private let release: Release

    /// Ends in a restored database what may have ended after the backup without it knowing, and says how much that was.
    public typealias Release = @Sendable (Transaction, Timestamp) throws -> Int

    /// The restoration of the archive at `archive`, opened by the bundle at `keys`, for a program with this `schema`.
    public init(
        archive: String, keys: String, recoveryKey: RecoveryKey, schema: [MigrationPart], clock: WallClock = .system,
        release: @escaping Release = { _, _ in 0 }
    ) throws {
        self.archive = archive
        self.schema = schema
        self.clock = clock
        self.release = release
        bundle = try KeyBundle(keys, with: recoveryKey)
    }

    /// Reads and authenticates the whole archive and writes nothing.
    public func check() throws -> BackupContents {
        let reader = try ArchiveReader(archive, bundle: bundle)
        var (partitions, blobs) = (0, 0)
        var (logBytes, bytes) = (UInt64(0), UInt64(0))
        var hasDatabase = false
        let damaged = try reader.walk { name, length in
            bytes += length
            switch name {
            case .database: hasDatabase = true
            case .partition: partitions += 1
            case .telemetry: logBytes += length
            case .audit: break
            case .blob: blobs += 1
            }
            return nil
        }
        guard hasDatabase else { throw Refusal.damagedArchive(archive, "holds no database") }
        return BackupContents(
            manifest: reader.manifest, partitions: partitions, logBytes: logBytes, blobs: blobs - damaged,
            damagedBlobs: damaged, bytes: bytes)
    }

    /// Makes `directory`, which must be absent or empty, the data directory of the server in the backup; its database
    /// becomes a SQLite file there, or goes to the empty PostgreSQL database at `postgres`.
    ///
    /// Every audit log declares the restoration, signed by its own key; `known` are checkpoints of the lost server,
    /// which then stay beside the logs as evidence.
    public func restore(
        into directory: String, postgres: String? = nil, known: KnownCheckpoints = KnownCheckpoints(),
        by actor: Actor = .system("restore")
    ) async throws -> Restored {
        try Self.checkEmpty(directory)
        // First everything, and only then the first byte to the disk.
        let contents = try check()
        let stage = "\(directory)/\(Self.unfinished)"
        let logs: [AuditLog.DeclaredRestoration]
        do {
            let database = try await write(stage, postgres)
            do {
                let now = clock.now
                let ended = try await database.platform.write { try release($0, now) }
                logs = try await declare(contents.manifest, database, stage, known, actor, ended: ended)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
            try Self.settle(stage, directory)
        } catch {
            try? FileManager.default.removeItem(atPath: stage)
            throw error
        }
        return Restored(
            contents: contents, logs: logs, nextSteps: Self.nextSteps(contents, directory, postgres))
    }

    /// Restores below `stage`, and answers the open database.
    func write(_ stage: String, _ postgres: String?) async throws -> Database {
        let layout = DataLayout(stage)
        let snapshots = "\(stage)/snapshots"
        for path in [stage, layout.telemetry, layout.audit, snapshots] { try Self.makeDirectory(path) }
        let partitions = try extract(layout, snapshots)
        var options = DatabaseOptions()
        options.partitionDirectory = layout.telemetry
        let database = try await Database.open(
            postgres.map { .postgres(url: $0) } ?? .sqlite(path: layout.database), options: options)
        do {
            if postgres != nil { try await Self.checkEmpty(database) }
            try await database.restore(from: "\(snapshots)/database", schema)
            unlink("\(snapshots)/database")
            for name in partitions {
                let path = "\(snapshots)/partition-\(name)"
                try await ChunkLoading(database: database, scratch: "\(snapshots)/moving.db").load(path, name)
                unlink(path)
            }
        } catch {
            await database.close()
            throw Self.explained(error, archive)
        }
        try FileManager.default.removeItem(atPath: snapshots)
        try bundle.files.write(below: stage)
        return database
    }

    /// Writes the archive's files where they belong, snapshots aside, and answers the names of the partitions.
    private func extract(_ layout: DataLayout, _ snapshots: String) throws -> [String] {
        var partitions: [String] = []
        try ArchiveReader(archive, bundle: bundle).walk { name, _ in
            switch name {
            case .database: return try OutputFile("\(snapshots)/database")
            case .partition(let name):
                partitions.append(name)
                return try OutputFile("\(snapshots)/partition-\(name)")
            case .telemetry(let name): return try OutputFile("\(layout.telemetry)/\(name)")
            case .audit(let name): return try OutputFile("\(layout.audit)/\(name)")
            case .blob(let tenant, let digest):
                let home = "\(layout.blobs)/\(tenant)"
                let folder = "\(home)/\(digest.text.prefix(2))"
                for path in [layout.blobs, home, folder] { try Self.makeDirectory(path) }
                return try OutputFile("\(folder)/\(digest.text)")
            }
        }
        return partitions
    }

    /// Declares the restoration in every log, so that what comes after it is no silent rollback.
    private func declare(
        _ manifest: BackupManifest, _ database: Database, _ stage: String, _ known: KnownCheckpoints, _ actor: Actor,
        ended: Int
    ) async throws -> [AuditLog.DeclaredRestoration] {
        guard let deployment = DeploymentName(manifest.deployment) else { throw ArchiveReader.disorder(archive) }
        let keyRing = try KeyRing(directory: DataLayout(stage).keys, columns: [], clock: clock)
        let audit = try AuditLog(
            database: database, keyRing: keyRing, deployment: deployment, directory: DataLayout(stage).audit,
            clock: clock)
        return try await audit.declareRestoration(of: manifest.name, known: known) { tenant in
            AuditEntry(
                .backupRestored, tenant: tenant, actor: actor, object: AuditObject(kind: "backup", id: manifest.name),
                details: [
                    "created": .string(manifest.created.rfc3339), "engine": .string(manifest.engine.rawValue),
                    "ended": .integer(Int64(ended)),
                ])
        }
    }

    // MARK: - The directory

    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Refusal.file("create", path) }
    }

    private static func checkEmpty(_ directory: String) throws {
        guard let status = FileStatus(of: directory) else {
            guard errno == ENOENT else { throw Refusal.file("read", directory) }
            return try makeDirectory(directory)
        }
        guard status.isDirectory else {
            throw Refusal(.conflict, "backup.notADirectory", "\(directory) is no directory.")
        }
        let found = try FileManager.default.contentsOfDirectory(atPath: directory).filter { !ignored.contains($0) }
        guard found.isEmpty else {
            throw Refusal(
                .conflict, "backup.notEmpty",
                "\(directory) is not empty (\(found.sorted().prefix(3).joined(separator: ", "))). A backup is restored "
                    + "into a new directory, never over data; name another one with --data.")
        }
        let stage = "\(directory)/\(unfinished)"
        if FileManager.default.fileExists(atPath: stage) { try FileManager.default.removeItem(atPath: stage) }
    }

    private static func checkEmpty(_ database: Database) async throws {
        let isEmpty = try await database.platform.read { transaction in
            try transaction.row("SELECT to_regclass('schema_migration') IS NULL")?.bool(0) ?? false
        }
        guard isEmpty else {
            throw Refusal(
                .conflict, "backup.databaseNotEmpty",
                "The PostgreSQL database holds a Tidegate already. A backup is restored into an empty one: make it with "
                    + "createdb and name it with --database.")
        }
    }

    /// Gives what was restored its place; the database last, because it is what makes a directory a server's.
    private static func settle(_ stage: String, _ directory: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: stage).sorted {
            ($0 == "tidegate.db" ? 1 : 0, $0) < ($1 == "tidegate.db" ? 1 : 0, $1)
        }
        for name in names {
            guard rename("\(stage)/\(name)", "\(directory)/\(name)") == 0 else {
                throw Refusal.file("create", "\(directory)/\(name)")
            }
        }
        try FileManager.default.removeItem(atPath: stage)
        try OutputFile.synchroniseDirectory(of: "\(directory)/any")
    }

    private static func explained(_ error: any Error, _ archive: String) -> any Error {
        guard let storage = error as? StorageError else { return error }
        switch storage.code {
        case .newerSchema, .changedMigration:
            return Refusal(
                .conflict, "backup.otherProgram",
                "The backup was made by another version of the program: \(storage.message). Use that version or a later one."
            )
        case .corrupt:
            return Refusal.damagedArchive(archive, "holds a snapshot that can not be used: \(storage.message)")
        default: return storage
        }
    }

    private static func nextSteps(_ contents: BackupContents, _ directory: String, _ postgres: String?) -> [String] {
        let manifest = contents.manifest
        var steps: [String] = []
        if contents.damagedBlobs > 0 {
            steps.append(
                "Upload artifacts again that can not be downloaded: \(contents.damagedBlobs) were damaged already when the "
                    + "backup was made, and were not put back.")
        }
        if geteuid() == 0 {
            steps.append(
                "Give \(directory) to the server's own user, if it does not run as root: chown -R tidegate: \(directory)"
            )
        }
        if postgres != nil { steps.append("Set database in the configuration to the URL that was restored to.") }
        steps.append(
            "Check that deployment in the configuration is \(manifest.deployment), as the certificates have it.")
        steps.append("Start the server: tidegate serve --data \(directory)")
        steps.append(
            "Hold what the lost server signed against the audit logs, if a copy of its audit directory is left: "
                + "tidegate verify audit --data \(directory) --known DIR")
        steps.append(
            "What was changed after \(manifest.created.rfc3339) is not in this backup: revoke, disable and suspend once "
                + "more whom and what you have since, API keys as well. Sessions, links and what programs got by OAuth have "
                + "ended: people sign in anew.")
        steps.append("Never let the old server and this one run at the same time.")
        return steps
    }
}
