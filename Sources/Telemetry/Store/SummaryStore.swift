import Base
import Storage

/// The table of day summaries, which outlive the chunks that they sum up.
struct SummaryStore: Sendable {
    let database: Database

    /// What remains of a device's days in `days`, by day.
    func summaries(tenant: TenantID, device: DeviceID, days: ClosedRange<Int64>) async throws -> [Int64: DaySummary] {
        let rows = try await database.tenant(tenant).read { tx in
            try tx.rows(
                "SELECT day, body FROM day_summary WHERE tenant = $1 AND device = $2 AND day BETWEEN $3 AND $4", device,
                days.lowerBound, days.upperBound
            ).map { (try $0.integer(0), try $0.blob(1)) }
        }
        return try rows.reduce(into: [:]) { $0[$1.0] = try Self.summary($1.1, day: $1.0) }
    }

    /// What remains of one day of some of a tenant's devices.
    func summaries(tenant: TenantID, day: Int64, devices: [DeviceID]) async throws -> [DeviceID: DaySummary] {
        let bodies = try await database.tenant(tenant).read { tx in
            try devices.map { device in
                try tx.row("SELECT body FROM day_summary WHERE tenant = $1 AND device = $2 AND day = $3", device, day)?
                    .blob(0)
            }
        }
        return try zip(devices, bodies).reduce(into: [:]) { found, row in
            if let body = row.1 { found[row.0] = try Self.summary(body, day: day) }
        }
    }

    private static func summary(_ body: [UInt8], day: Int64) throws -> DaySummary {
        guard let summary = DaySummary(encoded: body) else {
            throw StorageError(.corrupt, "the summary of day \(ChunkStore.name(ofDay: day)) can not be read")
        }
        return summary
    }

    /// The days in `days` of which something remains, in order.
    func days(tenant: TenantID, device: DeviceID, in days: ClosedRange<Int64>) async throws -> [Int64] {
        try await database.tenant(tenant).read { tx in
            try tx.rows(
                "SELECT day FROM day_summary WHERE tenant = $1 AND device = $2 AND day BETWEEN $3 AND $4 ORDER BY day",
                device, days.lowerBound, days.upperBound
            ).map { try $0.integer(0) }
        }
    }

    /// Keeps one day's summaries of a tenant's devices, in the place of earlier ones.
    func keep(_ summaries: [DeviceID: DaySummary], tenant: TenantID, day: Int64) async throws {
        let rows = summaries.map { ($0.key, $0.value.encoded()) }
        try await database.tenant(tenant).write { tx in
            for (device, body) in rows {
                try tx.execute(
                    """
                    INSERT INTO day_summary (tenant, device, day, body) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (tenant, device, day) DO UPDATE SET body = excluded.body
                    """, device, day, body)
            }
        }
    }

    /// Ends the summaries of days before `day`.
    func end(before day: Int64) async throws {
        try await database.platform.write { tx in
            try tx.acrossTenants.execute("DELETE FROM day_summary WHERE day < $1", day)
        }
    }

    /// Removes what remains of a device or a whole tenant.
    func remove(tenant: TenantID, device: DeviceID?) async throws {
        try await database.tenant(tenant).write { tx in
            if let device {
                try tx.execute("DELETE FROM day_summary WHERE tenant = $1 AND device = $2", device)
            } else {
                try tx.execute("DELETE FROM day_summary WHERE tenant = $1")
            }
        }
    }
}
