import Base
import Storage
import Telemetry

/// Where the database keeps telemetry's chunks: a partition for each day, or one that all days share.
struct StoredChunks {
    let database: Database

    /// The names of the partitions that there are now.
    var partitions: [String] {
        get async throws {
            let days = try await days
            return database.kind == .postgres ? [EntryName.sharedPartition] : days.map(Self.name(ofDay:))
        }
    }

    /// The days that are listed, counted from the epoch.
    var days: [Int64] {
        get async throws {
            try await database.platform.read { transaction in
                try transaction.rows("SELECT day FROM telemetry_day ORDER BY day").map { try $0.integer(0) }
            }
        }
    }

    /// The partition of this name, opened.
    func partition(_ name: String) async throws -> Database {
        try await database.partition(named: name, [TelemetrySchema.partition])
    }

    /// Lists a day, so that its partition is found.
    func list(day: Int64) async throws {
        try await database.platform.write { transaction in
            try transaction.execute("INSERT INTO telemetry_day (day) VALUES ($1) ON CONFLICT (day) DO NOTHING", day)
        }
    }

    /// A partition's name: the date, such as `2026-11-21`.
    static func name(ofDay day: Int64) -> String {
        let (microseconds, overflow) = day.multipliedReportingOverflow(by: 86_400_000_000)
        return String(Timestamp(microseconds: overflow ? 0 : microseconds).rfc3339.prefix(10))
    }

    /// The day that a partition is named for, or nil when it is no day's.
    static func day(named name: String) -> Int64? {
        guard name.utf8.count == 10, let start = Timestamp(rfc3339: "\(name)T00:00:00Z") else { return nil }
        return start.seconds.flooredDivision(by: 86_400)
    }
}
