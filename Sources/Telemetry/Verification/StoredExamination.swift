import Base
import Storage

/// Reads every chunk, device after device, beside what the log holds of the same hours.
///
/// Each read takes one moment of the database and is short, so a running server is not held up.
struct StoredExamination {
    /// Devices read at once.
    private static let devicesPerRead = 64
    /// Rows of summaries read at once.
    private static let rowsPerRead = 2000

    let database: Database
    let directory: String
    let tenant: TenantID?
    /// The names of series by tenant and number.
    var names: [TenantID: [UInt32: String]] = [:]
    /// The device days that a summary stands for, by their first hour.
    var summarised: Set<ChunkPlace> = []
    var report: TelemetryReport
    var log: LogExamination

    /// The examination of what `database` stores, after that of the log.
    init(_ database: Database, directory: String, tenant: TenantID?, log: LogExamination, report: TelemetryReport) {
        self.database = database
        self.directory = directory
        self.tenant = tenant
        self.log = log
        self.report = report
    }

    /// The report, complete.
    consuming func run() async throws -> TelemetryReport {
        try await readSummaries()
        for day in try await listedDays() { try await examine(day: day) }
        try await findUnlisted()
        countRest()
        return report
    }

    // MARK: Names and summaries

    private mutating func readNames() async throws {
        let only = tenant
        names = try await database.platform.read { tx in
            var names: [TenantID: [UInt32: String]] = [:]
            try tx.acrossTenants.forEach(
                "SELECT tenant, number, name FROM series WHERE tenant = $1 OR $2 = 1", only?.bytes ?? [], only == nil
            ) { names[try $0.identifier(0), default: [:]][UInt32(clamping: try $0.integer(1))] = try $0.text(2) }
            return names
        }
    }

    private mutating func readSummaries() async throws {
        let only = tenant
        var after = (tenant: only?.bytes ?? [], device: [UInt8](), day: Int64.min)
        while true {
            let (tenant, device, day) = after
            let rows = try await database.platform.read { tx in
                try tx.acrossTenants.rows(
                    """
                    SELECT tenant, device, day, body FROM day_summary
                    WHERE (tenant, device, day) > ($1, $2, $3) AND (tenant = $4 OR $5 = 1)
                    ORDER BY tenant, device, day LIMIT $6
                    """, tenant, device, day, only?.bytes ?? [], only == nil, Self.rowsPerRead
                ).map {
                    (
                        place: ChunkPlace(
                            tenant: try $0.identifier(0), device: try $0.identifier(1),
                            hour: UInt32(clamping: try $0.integer(2) * 24)), body: try $0.blob(3)
                    )
                }
            }
            for (place, body) in rows { take(summary: body, at: place) }
            guard let last = rows.last?.place, rows.count == Self.rowsPerRead else { return }
            after = (last.tenant.bytes, last.device.bytes, ChunkStore.day(ofHour: last.hour))
        }
    }

    private mutating func take(summary body: [UInt8], at place: ChunkPlace) {
        report.summaries += 1
        summarised.insert(place)
        let summary = DaySummary(encoded: body)
        let isOfDay = summary?.entries.allSatisfy {
            ChunkStore.day(ofHour: $0.hour) == ChunkStore.day(ofHour: place.hour)
        }
        guard isOfDay != true else { return }
        report.add(
            TelemetryDamage(
                .malformed, file: "day_summary", tenant: place.tenant, device: place.device, hour: place.hour,
                "The day's summary can not be read, or is another day's."))
    }

    // MARK: Partitions

    private func listedDays() async throws -> [Int64] {
        try await database.platform.read { tx in
            try tx.rows("SELECT day FROM telemetry_day ORDER BY day").map { try $0.integer(0) }
        }
    }

    /// Days that are not listed: no query finds what they hold.
    private mutating func findUnlisted() async throws {
        let listed = try await listedDays()
        var unlisted: [String] = []
        if database.kind == .sqlite {
            guard FileStatus(of: directory)?.isDirectory == true else { return }
            let known = Set(listed.map { "\(ChunkStore.name(ofDay: $0)).db" })
            unlisted = try LogFile.names(in: directory).filter { $0.hasSuffix(".db") && !known.contains($0) }
        } else {
            // The table of chunks is made with the first of them.
            let isMade = try await database.platform.read { tx in
                try tx.row("SELECT to_regclass('chunk') IS NOT NULL")?.bool(0) ?? false
            }
            guard isMade else { return }
            let partition = try await database.partition(named: "shared", [TelemetrySchema.partition])
            unlisted = try await partition.platform.read { tx in
                try tx.acrossTenants.rows(
                    """
                    SELECT DISTINCT hour / 24 FROM chunk
                    WHERE NOT EXISTS (SELECT 1 FROM telemetry_day WHERE day = hour / 24)
                    """
                ).map { ChunkStore.name(ofDay: try $0.integer(0)) }
            }
        }
        for name in unlisted {
            report.add(
                TelemetryDamage(.misplaced, file: name, "The database does not list this day, so no query finds it."))
        }
    }

    private mutating func examine(day: Int64) async throws {
        let file = database.kind == .sqlite ? "\(ChunkStore.name(ofDay: day)).db" : ChunkStore.name(ofDay: day)
        do {
            let partition = try await database.partition(
                named: ChunkStore.name(ofDay: day), [TelemetrySchema.partition])
            report.partitions += 1
            try await examine(partition, day: day, file: file)
        } catch let error as StorageError {
            // Retention may have ended the day since it was listed.
            guard try await listedDays().contains(day) else { return }
            let isGone = database.kind == .sqlite && FileStatus(of: "\(directory)/\(file)") == nil
            report.add(
                TelemetryDamage(
                    isGone ? .missing : .damaged, file: file,
                    isGone ? "The day is listed, and its file is gone." : "The day's table can not be read: \(error)"))
        }
    }

    private mutating func examine(_ partition: Database, day: Int64, file: String) async throws {
        let only = tenant
        // A file must hold its own day only; a table that all days share is read a day at a time.
        let hours: ClosedRange<Int64> = database.kind == .sqlite ? .min ... .max : day * 24...day * 24 + 23
        var after = (tenant: only?.bytes ?? [], device: [UInt8]())
        while true {
            let (tenant, device) = after
            let rows = try await partition.platform.read { tx in
                try tx.acrossTenants.rows(
                    """
                    SELECT c.tenant, c.device, c.hour, c.part, c.body FROM chunk c
                    JOIN (SELECT DISTINCT tenant, device FROM chunk
                          WHERE (tenant > $1 OR (tenant = $1 AND device > $2)) AND (tenant = $3 OR $4 = 1)
                              AND hour BETWEEN $5 AND $6
                          ORDER BY tenant, device LIMIT $7) d ON d.tenant = c.tenant AND d.device = c.device
                    WHERE c.hour BETWEEN $5 AND $6 ORDER BY c.tenant, c.device, c.hour, c.part
                    """, tenant, device, only?.bytes ?? [], only == nil, hours.lowerBound, hours.upperBound,
                    Self.devicesPerRead
                ).map {
                    // What is not even bytes is no chunk: its row is named like any other damage.
                    ChunkRow(
                        place: ChunkPlace(
                            tenant: try $0.identifier(0), device: try $0.identifier(1),
                            hour: UInt32(clamping: try $0.integer(2))), part: try $0.integer(3),
                        body: (try? $0.blob(4)) ?? [])
                }
            }
            guard let last = rows.last else { return }
            // A series gets its name before the chunk that uses it.
            try await readNames()
            var start = rows.startIndex
            while start < rows.endIndex {
                let end = rows[start...].firstIndex { $0.place != rows[start].place } ?? rows.endIndex
                examine(Array(rows[start..<end]), day: day, file: file)
                start = end
            }
            after = (last.place.tenant.bytes, last.place.device.bytes)
        }
    }
}
