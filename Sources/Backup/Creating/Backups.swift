public import Audit
public import Base
import Blobs
import Crypto
import FoundationEssentials
public import Logging
public import Storage
public import Trust

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Makes backups of one server, while it works or while it is stopped.
///
/// What makes a backup consistent is the order in which things are copied: docs/decisions/0007-backup.md tells why.
public actor Backups {
    /// What a finished backup is.
    public struct Created: Sendable, Hashable {
        /// Its two files.
        public let pair: BackupPair
        /// Bytes of both.
        public let bytes: UInt64
        /// The recovery key's file, while it still lies on this machine.
        public let recoveryKey: String?

        /// The facts for a program.
        public var json: JSONValue {
            [
                "name": .string(pair.name), "archive": .string(pair.archive), "keys": .string(pair.keys),
                "created": .string(pair.created.rfc3339), "bytes": .integer(Int64(clamping: bytes)),
                "recoveryKey": recoveryKey.map { .string($0) } ?? .null,
            ]
        }
    }

    private let database: Database
    private let layout: DataLayout
    private let audit: AuditLog
    private let deployment: DeploymentName
    private let program: String
    private let clock: WallClock
    private let logger: Logger
    private let willBegin: @Sendable (BackupStep) async throws -> Void
    private let executor = DiskExecutor()
    private var isRunning = false

    /// Backups of the server whose data directory is `layout` and whose database is `database`, migrated.
    public init(
        database: Database, layout: DataLayout, audit: AuditLog, deployment: DeploymentName, program: String,
        clock: WallClock = .system, logger: Logger = Logger(label: "tidegate.backup")
    ) {
        self.init(
            database: database, layout: layout, audit: audit, deployment: deployment, program: program, clock: clock,
            logger: logger,
            willBegin: { logger.debug("backup goes on", metadata: ["step": "\($0)"]) })
    }

    /// Backups that tell before each step, so that a test can let something happen just there.
    init(
        database: Database, layout: DataLayout, audit: AuditLog, deployment: DeploymentName, program: String,
        clock: WallClock, logger: Logger, willBegin: @escaping @Sendable (BackupStep) async throws -> Void
    ) {
        self.database = database
        self.layout = layout
        self.audit = audit
        self.deployment = deployment
        self.program = program
        self.clock = clock
        self.logger = logger
        self.willBegin = willBegin
    }

    /// The thread that backups run on.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Makes a backup in `directory`, its key bundle in `keysDirectory` or beside it; what fails, or is cancelled,
    /// leaves no file.
    public func create(in directory: String, keysIn keysDirectory: String? = nil, by actor: Actor) async throws
        -> Created
    {
        guard !isRunning else {
            throw Refusal(.conflict, "backup.underWay", "A backup is being made. Wait until it is done.")
        }
        isRunning = true
        defer { isRunning = false }
        var id = [UInt8](repeating: 0, count: ArchiveHeader.identifierBytes)
        for index in id.indices { id[index] = .random(in: .min ... .max) }
        let manifest = BackupManifest(
            id: id, created: clock.now, deployment: deployment.text, program: program, engine: database.kind)
        let pair = BackupPair(
            id: id, created: manifest.created, archivesIn: directory, keysIn: keysDirectory ?? directory)
        do {
            let created = try await write(manifest, pair, directory, keysDirectory ?? directory)
            logger.info("backup made", metadata: ["archive": "\(pair.archive)", "bytes": "\(created.bytes)"])
            await record(pair, actor, .success, ["bytes": .integer(Int64(clamping: created.bytes))])
            return created
        } catch is CancellationError {
            logger.info("backup given up because the server stops", metadata: ["archive": "\(pair.archive)"])
            throw CancellationError()
        } catch {
            logger.error("backup failed", metadata: ["archive": "\(pair.archive)", "reason": "\(error)"])
            let reason = (error as? Refusal)?.code ?? (error as? StorageError).map { "storage.\($0.code.rawValue)" }
            await record(pair, actor, .failed, ["reason": .string(reason ?? "other")])
            throw error
        }
    }

    /// Removes the oldest backups in `directory` until `keep` are left.
    func prune(in directory: String, keysIn keysDirectory: String, keep: Int) throws {
        for pair in try BackupPair.prune(in: directory, keysIn: keysDirectory, keep: keep) {
            logger.info("old backup removed", metadata: ["archive": "\(pair.archive)"])
        }
    }

    private func write(
        _ manifest: BackupManifest, _ pair: BackupPair, _ directory: String, _ keysDirectory: String
    ) async throws -> Created {
        let recoveryFiles = RecoveryKeyFiles(layout: layout)
        let recovery = try recoveryFiles.publicKey()
        try prepare([directory, keysDirectory])
        defer { try? FileManager.default.removeItem(atPath: layout.staging) }
        await settleAudit()
        let archiveKey = SymmetricKey(size: .bits256)
        let archive = try ArchiveWriter(pair.archive, manifest: manifest, archiveKey: archiveKey)
        // The order below is what makes the copies fit each other.
        try await willBegin(.checkpoints)
        try addCheckpoints(to: archive)
        try await willBegin(.openingLog)
        var log = try LogCopy(layout.telemetry)
        try await addPartitions(to: archive)
        try await willBegin(.database)
        let keys = try await addDatabase(to: archive)
        try await willBegin(.blobs)
        try await addBlobs(to: archive)
        try await willBegin(.readingLog)
        try log.add(to: archive)
        try archive.finish()

        let bundle = try OutputFile(pair.keys)
        let sealed = try KeyBundle(archive: manifest.id, archiveKey: archiveKey, files: keys).sealed(to: recovery)
        try sealed.withUnsafeBytes { try bundle.write($0) }
        try bundle.synchronise()
        // The keys first: an archive that has its name can be opened.
        try bundle.publish()
        do {
            try archive.output.publish()
        } catch {
            try? FileManager.default.removeItem(atPath: pair.keys)
            throw error
        }
        return Created(
            pair: pair, bytes: archive.output.bytes + bundle.bytes,
            recoveryKey: recoveryFiles.isKeyHere ? layout.recoveryKey : nil)
    }

    /// Lets every audit log have its key and sign for what it has, so that a restoration can be declared with that key.
    private func settleAudit() async {
        do {
            try await audit.settle()
        } catch {
            // A backup of a log that can not be signed is worth more than none.
            logger.warning("an audit log could not be signed before the backup", metadata: ["reason": "\(error)"])
        }
    }

    /// Makes the directories, and removes what a backup that was cut short has left in them.
    private func prepare(_ directories: [String]) throws {
        for directory in directories where !FileManager.default.fileExists(atPath: directory) {
            try SecretFile.createDirectory(directory, for: .owner)
        }
        for directory in directories {
            let names: [String]
            do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
                throw Refusal(.unavailable, "backup.file", "Can not read \(directory).", detail: "\(error)")
            }
            for name in names where name.hasPrefix("tidegate-") {
                OutputFile.removeIfAbandoned("\(directory)/\(name)")
            }
        }
        if FileManager.default.fileExists(atPath: layout.staging) {
            try FileManager.default.removeItem(atPath: layout.staging)
        }
        try SecretFile.createDirectory(layout.staging, for: .owner)
    }

    private func addCheckpoints(to archive: ArchiveWriter) throws {
        // In this order a compaction in between doubles lines, which is harmless, and loses none.
        for name in ["checkpoints.log", "checkpoints.log.1"] {
            let path = "\(layout.audit)/\(name)"
            if FileManager.default.fileExists(atPath: path) { try archive.add(.audit(name), InputFile(path)) }
        }
    }

    private func addPartitions(to archive: ArchiveWriter) async throws {
        let chunks = StoredChunks(database: database)
        let names = try await chunks.partitions
        try await willBegin(.partitions)
        for name in names {
            try Task.checkCancellation()
            let path = "\(layout.staging)/\(name)"
            do {
                try await chunks.partition(name).snapshot(to: path)
            } catch {
                guard try await isRetired(name, chunks) else { throw error }
                continue
            }
            defer { unlink(path) }
            // Retention may have dropped the day just before, and the line above made it anew, empty.
            if try await !isRetired(name, chunks) { try archive.add(.partition(name), InputFile(path)) }
        }
    }

    /// Whether retention has ended a day since it was listed; its partition then is removed once more.
    private func isRetired(_ name: String, _ chunks: StoredChunks) async throws -> Bool {
        guard let day = StoredChunks.day(named: name), try await !chunks.days.contains(day) else { return false }
        try await database.dropPartition(named: name)
        return true
    }

    /// Adds the database, and answers the key files that open what is sealed in it.
    private func addDatabase(to archive: ArchiveWriter) async throws -> KeyFileSet {
        let path = "\(layout.staging)/database"
        defer { unlink(path) }
        for _ in 0..<Limits.keyAttempts {
            let before = try KeyFileSet(reading: layout)
            try await database.snapshot(to: path)
            // Equal before and after: no rotation touched the files meanwhile, so they belong to these rows.
            guard try KeyFileSet(reading: layout) == before else { continue }
            try archive.add(.database, InputFile(path))
            return before
        }
        throw Refusal(
            .unavailable, "backup.keysChanging",
            "The key files changed during \(Limits.keyAttempts) attempts, so a rotation is under way. Try again when it "
                + "is done.")
    }

    private func addBlobs(to archive: ArchiveWriter) async throws {
        guard FileManager.default.fileExists(atPath: layout.blobs) else { return }
        let blobs = try Blobs(directory: layout.blobs)
        for tenant in try await blobs.tenants() {
            for blob in try await blobs.blobs(of: tenant) {
                let path = blobs.path(of: blob.digest, tenant)
                let file: InputFile
                do {
                    file = try InputFile(path)
                } catch let refusal as Refusal {
                    // Listed, and removed before it could be opened: nothing had named it for a day.
                    guard FileManager.default.fileExists(atPath: path) else { continue }
                    throw refusal
                }
                try archive.add(.blob(tenant, blob.digest), file)
            }
        }
    }

    private func record(_ pair: BackupPair, _ actor: Actor, _ outcome: AuditEntry.Outcome, _ details: JSONValue) async {
        do {
            let entry = AuditEntry(
                .backupCreated, tenant: .platform, actor: actor, object: AuditObject(kind: "backup", id: pair.name),
                outcome: outcome, details: details)
            try await database.platform.write { [audit] transaction in try audit.record(entry, in: transaction) }
        } catch {
            logger.error("a backup could not be recorded in the audit log", metadata: ["reason": "\(error)"])
        }
    }
}
