import Base
import Storage
import Synchronization

/// The lasting numbers of series names, one list for each tenant, by which chunks name their columns.
///
/// The log has numbers of its own that begin anew with an empty log; this table maps them.
final class SeriesTable: Sendable {
    private struct State {
        var numbers: [LogRegistry.Series: UInt32] = [:]
    }

    private let database: Database
    private let state = Mutex(State())

    init(database: Database) {
        self.database = database
    }

    /// The lasting number of a series, given now if it has none.
    func number(of series: LogRegistry.Series, unit: String?) async throws -> UInt32 {
        if let known = state.withLock({ $0.numbers[series] }) { return known }
        let number = try await database.tenant(series.tenant).write { tx in
            if let row = try tx.row("SELECT number FROM series WHERE tenant = $1 AND name = $2", series.name) {
                return UInt32(clamping: try row.integer(0))
            }
            let row = try tx.row(
                """
                INSERT INTO series (tenant, number, name, unit)
                SELECT $1, COALESCE(MAX(number), -1) + 1, $2, $3 FROM series WHERE tenant = $1 RETURNING number
                """, series.name, unit)
            return UInt32(clamping: try row?.integer(0) ?? 0)
        }
        state.withLock { $0.numbers[series] = number }
        return number
    }

    /// The lasting number of a series that has one.
    func existingNumber(of name: String, tenant: TenantID) async throws -> UInt32? {
        let series = LogRegistry.Series(tenant: tenant, name: name)
        if let known = state.withLock({ $0.numbers[series] }) { return known }
        let found = try await database.tenant(tenant).read { tx in
            try tx.row("SELECT number FROM series WHERE tenant = $1 AND name = $2", name).map {
                UInt32(clamping: try $0.integer(0))
            }
        }
        if let found { state.withLock { $0.numbers[series] = found } }
        return found
    }

    /// Lists series as belonging to a device.
    func list(_ series: [UInt32], device: DeviceID, tenant: TenantID, hour: UInt32) async throws {
        try await database.tenant(tenant).write { tx in
            for number in series {
                try tx.execute(
                    """
                    INSERT INTO device_series (tenant, device, series, first_hour) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (tenant, device, series) DO NOTHING
                    """, device, Int64(number), Int64(hour))
            }
        }
    }

    /// The series of a device that chunks hold, by name.
    func series(ofDevice device: DeviceID, tenant: TenantID) async throws -> [SeriesInfo] {
        try await database.tenant(tenant).read { tx in
            try tx.rows(
                """
                SELECT s.name, s.unit FROM device_series d JOIN series s ON s.tenant = d.tenant AND s.number = d.series
                WHERE d.tenant = $1 AND d.device = $2 ORDER BY s.name
                """, device
            ).map { SeriesInfo(name: try $0.text(0), unit: try $0.textIfAny(1)) }
        }
    }

    /// The unit of a series, as first seen.
    func unit(of name: String, tenant: TenantID) async throws -> String? {
        try await database.tenant(tenant).read { tx in
            try tx.row("SELECT unit FROM series WHERE tenant = $1 AND name = $2", name).flatMap { try $0.textIfAny(0) }
        }
    }
}

/// A series as people see it.
public struct SeriesInfo: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its unit, when the device or the model named one.
    public var unit: String?

    /// A series with this name.
    public init(name: String, unit: String?) {
        self.name = name
        self.unit = unit
    }
}
