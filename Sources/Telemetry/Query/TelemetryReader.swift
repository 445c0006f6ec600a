public import Base

/// Answers questions about stored and current readings of one device at a time.
public final class TelemetryReader: Sendable {
    private let registry: LogRegistry
    private let head: Head
    private let chunks: ChunkStore
    private let table: SeriesTable

    init(registry: LogRegistry, head: Head, chunks: ChunkStore, table: SeriesTable) {
        self.registry = registry
        self.head = head
        self.chunks = chunks
        self.table = table
    }

    /// The series of a device by name, whether in chunks or still in memory.
    public func series(tenant: TenantID, device: DeviceID) async throws -> [SeriesInfo] {
        var found = Dictionary(
            try await table.series(ofDevice: device, tenant: tenant).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for (hour, records) in openHours(tenant: tenant, device: device, hours: 0...UInt32.max) {
            guard let columns = HourColumns(hour: hour, records: records) else { continue }
            for number in columns.columns.keys {
                guard let known = registry.series(number) else { continue }
                if found[known.series.name] == nil {
                    found[known.series.name] = SeriesInfo(name: known.series.name, unit: known.unit)
                }
            }
        }
        return found.values.sorted { $0.name < $1.name }
    }

    /// The answer to `query`, page by page in the order of time.
    public func points(_ query: PointQuery) -> PointPages { PointPages(reader: self, query: query) }

    /// The first hour, from `hour` on, that may hold points of a device, so that a query skips what is empty.
    func nextHour(from hour: UInt32, tenant: TenantID, device: DeviceID) -> UInt32? {
        let open = openHours(tenant: tenant, device: device, hours: hour...UInt32.max).first?.hour
        let day = ChunkStore.day(ofHour: hour)
        let stored = chunks.knownDays.first { $0 >= day }.map { $0 == day ? hour : UInt32(clamping: $0 * 24) }
        return [open, stored].compactMap(\.self).min()
    }

    /// The columns of the named series in some hours, late data laid over earlier parts and memory over both.
    func hours(
        tenant: TenantID, device: DeviceID, series names: [String], hours: ClosedRange<UInt32>
    ) async throws -> [NamedHour] {
        // Memory first: what moves into a chunk meanwhile is seen twice, which overlaying makes one; the other way
        // round it could be missed.
        let open = openHours(tenant: tenant, device: device, hours: hours)
        let parts = try await chunks.parts(tenant: tenant, device: device, hours: hours)
        var result: [UInt32: [String: SeriesColumn]] = [:]
        var numbers: [UInt32: String] = [:]
        for name in names {
            if let number = try await table.existingNumber(of: name, tenant: tenant) { numbers[number] = name }
        }
        for part in parts {
            let chunk = try part.chunk(tenant: tenant, device: device)
            let columns = try HourColumns(chunk: chunk, hour: part.hour, only: Set(numbers.keys))
            for (number, column) in columns.columns {
                guard let name = numbers[number] else { continue }
                Self.overlay(column, on: &result[part.hour, default: [:]][name])
            }
        }
        for (hour, records) in open {
            guard let columns = HourColumns(hour: hour, records: records) else { continue }
            for (number, column) in columns.columns {
                guard let name = registry.series(number)?.series.name, names.contains(name) else { continue }
                Self.overlay(column, on: &result[hour, default: [:]][name])
            }
        }
        return result.sorted { $0.key < $1.key }.map { NamedHour(hour: $0.key, columns: $0.value) }
    }

    private static func overlay(_ later: SeriesColumn, on column: inout SeriesColumn?) {
        column = column.map { $0.overlaid(by: later) } ?? later
    }

    private func openHours(
        tenant: TenantID, device: DeviceID, hours: ClosedRange<UInt32>
    ) -> [(hour: UInt32, records: [UInt8])] {
        guard let slot = registry.existingSlot(of: device, tenant: tenant) else { return [] }
        return head.records(ofSlot: slot, hours: hours)
    }
}
