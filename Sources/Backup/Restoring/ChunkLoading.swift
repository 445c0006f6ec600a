import Base
import Storage
import Telemetry

/// Brings partitions of stored telemetry into a database, from day to day or from one engine to the other.
struct ChunkLoading {
    private struct Place {
        var tenant: [UInt8] = []
        var device: [UInt8] = []
        var hour: Int64 = -1
        var part: Int64 = -1
    }

    let database: Database
    /// A path for a database that lives only while chunks change engines.
    let scratch: String

    /// Loads the snapshot at `path` of the partition called `name`.
    func load(_ path: String, _ name: String) async throws {
        let chunks = StoredChunks(database: database)
        if let day = StoredChunks.day(named: name) {
            // The days were listed with the database; one that retention dropped between the two copies is back here.
            try await chunks.list(day: day)
            try await chunks.partition(name).restore(from: path, [TelemetrySchema.partition], .adding)
        } else if database.kind == .postgres {
            try await chunks.partition(name).restore(from: path, [TelemetrySchema.partition], .adding)
        } else {
            try await split(path, chunks)
        }
    }

    /// Sorts the chunks of all days into a partition for each.
    private func split(_ path: String, _ chunks: StoredChunks) async throws {
        let all = try await Database.open(.sqlite(path: scratch))
        do {
            try await all.restore(from: path, [TelemetrySchema.partition])
            var place = Place()
            while let rows = try await Self.rows(of: all, after: place) {
                for (day, rows) in Dictionary(grouping: rows, by: { $0.hour.flooredDivision(by: 24) }) {
                    try await chunks.list(day: day)
                    let partition = try await chunks.partition(StoredChunks.name(ofDay: day))
                    let values = rows.map(\.values)
                    try await partition.platform.write { transaction in
                        try transaction.acrossTenants.insert(into: "chunk", columns: ChunkRow.columns, rows: values)
                    }
                }
                guard let last = rows.last else { break }
                place = Place(tenant: last.tenant, device: last.device, hour: last.hour, part: last.part)
            }
            await all.close()
        } catch {
            await all.close()
            throw error
        }
    }

    /// The next rows in the order of the key, or nil when there are none.
    private static func rows(of all: Database, after place: Place) async throws -> [ChunkRow]? {
        let (tenant, device, hour, part) = (place.tenant, place.device, place.hour, place.part)
        let rows = try await all.platform.read { transaction in
            try transaction.acrossTenants.rows(
                """
                SELECT tenant, device, hour, part, written, body FROM chunk
                WHERE (tenant, device, hour, part) > ($1, $2, $3, $4)
                ORDER BY tenant, device, hour, part LIMIT $5
                """, tenant, device, hour, part, Limits.movedRows
            ).map { try ChunkRow($0) }
        }
        return rows.isEmpty ? nil : rows
    }
}

/// One row of a partition.
struct ChunkRow: Sendable {
    static let columns = ["tenant", "device", "hour", "part", "written", "body"]

    let tenant: [UInt8]
    let device: [UInt8]
    let hour: Int64
    let part: Int64
    let written: Int64
    let body: [UInt8]

    /// The row of a statement that selects `columns`.
    init(_ row: Row) throws {
        tenant = try row.blob(0)
        device = try row.blob(1)
        hour = try row.integer(2)
        part = try row.integer(3)
        written = try row.integer(4)
        body = try row.blob(5)
    }

    /// Where the chunk belongs; nil when the row itself is damaged, which the chunk's checksum then shows.
    var place: ChunkPlace? {
        guard let tenant = TenantID(bytes: tenant), let device = DeviceID(bytes: device),
            let hour = UInt32(exactly: hour)
        else { return nil }
        return ChunkPlace(tenant: tenant, device: device, hour: hour)
    }

    var values: [SQLValue] {
        [.blob(tenant), .blob(device), .integer(hour), .integer(part), .integer(written), .blob(body)]
    }
}
