public import Audit
public import Base
import FoundationEssentials
import Logging
public import Storage
import Telemetry

/// Restores a backup into a directory that goes again, and checks that everything in it is what it should be.
public struct Drill: Sendable {
    /// What a drill has found.
    public struct Report: Sendable, Hashable {
        /// What was in the archive.
        public let contents: BackupContents
        /// What the audit's verification says, a report for each log.
        public let audit: [AuditReport]
        /// Chunks that were opened and decoded, those made of the log's records included.
        public let chunks: Int
        /// Points that a query finds.
        public let points: Int
        /// Bytes of records that only the log held and that were replayed.
        public let replayedBytes: Int
        /// What is wrong, the first of it.
        public let problems: [String]
        /// How much is wrong, listed or not.
        public let problemCount: Int

        /// True when a server could go on from this backup.
        public var isSound: Bool { problemCount == 0 }

        /// The facts for a program.
        public var json: JSONValue {
            [
                "created": .string(contents.manifest.created.rfc3339),
                "bytes": .integer(Int64(clamping: contents.bytes)),
                "blobs": .integer(Int64(contents.blobs)), "partitions": .integer(Int64(contents.partitions)),
                "logs": .integer(Int64(audit.count)),
                "entries": .integer(audit.reduce(0) { $0 + $1.entries }), "chunks": .integer(Int64(chunks)),
                "points": .integer(Int64(points)), "replayedBytes": .integer(Int64(replayedBytes)),
                "sound": .bool(isSound), "problems": .array(problems.map { .string($0) }),
            ]
        }
    }

    private let archive: String
    private let keys: String
    private let recoveryKey: RecoveryKey
    private let schema: [MigrationPart]
    private let clock: WallClock

    /// A drill on the archive at `archive`, opened by the bundle at `keys`, for a program with this `schema`.
    public init(
        archive: String, keys: String, recoveryKey: RecoveryKey, schema: [MigrationPart], clock: WallClock = .system
    ) {
        self.archive = archive
        self.keys = keys
        self.recoveryKey = recoveryKey
        self.schema = schema
        self.clock = clock
    }

    /// Restores below `scratch`, checks, and removes what it restored.
    public func run(scratch: String) async throws -> Report {
        let restoration = try Restoration(
            archive: archive, keys: keys, recoveryKey: recoveryKey, schema: schema, clock: clock)
        let contents = try restoration.check()
        let directory = "\(scratch)/tidegate-drill-\(UInt32.random(in: .min ... .max))"
        try Restoration.makeDirectory(directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let database = try await restoration.write(directory, nil)
        do {
            let report = try await examine(database, DataLayout(directory), contents)
            await database.close()
            return report
        } catch {
            await database.close()
            throw error
        }
    }

    private func examine(_ database: Database, _ layout: DataLayout, _ contents: BackupContents) async throws -> Report
    {
        let audit = try await AuditVerification.database(database, directory: layout.audit)
        var problems = Problems()
        if contents.damagedBlobs > 0 {
            problems.add("artifacts: \(contents.damagedBlobs) files were damaged when the backup was made")
        }
        for report in audit {
            for damage in report.damages { problems.add("audit log of \(report.tenant): \(damage.message)") }
        }
        let stored = try await TelemetryVerification.database(database, directory: layout.telemetry)
        problems.add(stored, beside: [])
        // What only the log holds is replayed and written into chunks too: what a server does with it is tried.
        let telemetry = Telemetry(
            database: database, directory: layout.telemetry, retention: .init(raw: .seconds(86_400)), clock: clock,
            logger: Logger(label: "tidegate.drill"))
        var replayed = 0
        do {
            try await telemetry.open()
            replayed = telemetry.openBytes
            try await telemetry.close()
            if telemetry.openBytes > 0 {
                problems.add("telemetry: \(telemetry.openBytes) bytes of the log could not be written into chunks")
            }
        } catch {
            problems.add("telemetry: the log can not be replayed: \(error)")
        }
        let whole = try await TelemetryVerification.database(database, directory: layout.telemetry)
        problems.add(whole, beside: stored.damages)
        return Report(
            contents: contents, audit: audit, chunks: whole.chunks, points: whole.visiblePoints,
            replayedBytes: replayed, problems: problems.listed, problemCount: problems.count)
    }
}

/// What a drill finds wrong: the first of it in words, and how much there is.
struct Problems {
    private(set) var listed: [String] = []
    private(set) var count = 0

    mutating func add(_ problem: String) {
        if listed.count < Limits.listedProblems { listed.append(problem) }
        count += 1
    }

    /// Adds what verification has found in telemetry, unless it is known.
    ///
    /// A gap between two segments is none of it: one that was begun and removed while the backup was made is not in the
    /// backup, and held nothing that was acknowledged before (docs/decisions/0007-backup.md).
    mutating func add(_ report: TelemetryReport, beside known: [TelemetryDamage]) {
        for damage in report.damages where !known.contains(damage) {
            guard damage.kind != .missing || damage.offset == nil else { continue }
            add("telemetry: \(damage)")
        }
        // What is not listed can not be told apart; it counts once.
        if known.isEmpty { count += report.damageCount - report.damages.count }
    }
}
