public import Base

/// Answers questions about stored and current readings of one device at a time.
public final class TelemetryReader: Sendable {
    private let registry: LogRegistry
    private let head: Head
    private let chunks: ChunkStore
    private let summaries: SummaryStore
    private let table: SeriesTable

    init(registry: LogRegistry, head: Head, chunks: ChunkStore, summaries: SummaryStore, table: SeriesTable) {
        self.registry = registry
        self.head = head
        self.chunks = chunks
        self.summaries = summaries
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

    /// The first hour, from `hour` on, that may hold points of a device, so that a query skips what is empty; days in
    /// `ended` hold what remains of readings that have ended.
    func nextHour(from hour: UInt32, tenant: TenantID, device: DeviceID, ended: [Int64]) -> UInt32? {
        let open = openHours(tenant: tenant, device: device, hours: hour...UInt32.max).first?.hour
        let day = ChunkStore.day(ofHour: hour)
        let days = [chunks.knownDays.first { $0 >= day }, ended.first { $0 >= day }].compactMap(\.self)
        return (days.map { $0 == day ? hour : UInt32(clamping: $0 * 24) } + [open].compactMap(\.self)).min()
    }

    /// The days that some hours touch and of which something remains of a device's ended readings.
    func endedDays(tenant: TenantID, device: DeviceID, hours: ClosedRange<UInt32>) async throws -> [Int64] {
        try await summaries.days(tenant: tenant, device: device, in: Self.days(of: hours))
    }

    /// What is known of the named series in some hours: what remains of ended readings when it is wanted, chunks, and
    /// memory, in the order in which they are laid over each other.
    func hours(
        tenant: TenantID, device: DeviceID, series names: [String], hours: ClosedRange<UInt32>, withEnded: Bool
    ) async throws -> [NamedHour] {
        // Memory first: what moves into a chunk meanwhile is seen twice, which overlaying makes one; the other way
        // round it could be missed. Chunks before summaries for the same reason: what both hold, the summary tells.
        let open = openHours(tenant: tenant, device: device, hours: hours)
        let parts = try await chunks.parts(tenant: tenant, device: device, hours: hours)
        let ended =
            withEnded
            ? try await summaries.summaries(tenant: tenant, device: device, days: Self.days(of: hours)) : [:]
        var numbers: [UInt32: String] = [:]
        for name in names {
            if let number = try await table.existingNumber(of: name, tenant: tenant) { numbers[number] = name }
        }
        var found: [UInt32: NamedHour] = [:]
        for entry in ended.values.lazy.flatMap(\.entries) where hours.contains(entry.hour) {
            guard let name = numbers[entry.series] else { continue }
            found[entry.hour, default: NamedHour(hour: entry.hour)].remains[name, default: []].append(entry.points)
        }
        for part in parts where part.written > ended[ChunkStore.day(ofHour: part.hour)]?.through ?? .min {
            let chunk = try part.chunk(tenant: tenant, device: device)
            let columns = Dictionary(grouping: chunk.summaries.enumerated(), by: \.element.series)
            for (number, columns) in columns {
                guard let name = numbers[number] else { continue }
                found[part.hour, default: NamedHour(hour: part.hour)].pieces[name, default: []] +=
                    [HourPiece(chunk, columns: columns.map(\.offset))].compactMap(\.self)
            }
        }
        for (hour, records) in open {
            guard let columns = HourColumns(hour: hour, records: records) else { continue }
            for (number, column) in columns.columns {
                guard let name = registry.series(number)?.series.name, names.contains(name) else { continue }
                found[hour, default: NamedHour(hour: hour)].pieces[name, default: []] +=
                    [HourPiece(column)].compactMap(\.self)
            }
        }
        return found.values.sorted { $0.hour < $1.hour }
    }

    private static func days(of hours: ClosedRange<UInt32>) -> ClosedRange<Int64> {
        ChunkStore.day(ofHour: hours.lowerBound)...ChunkStore.day(ofHour: hours.upperBound)
    }

    private func openHours(
        tenant: TenantID, device: DeviceID, hours: ClosedRange<UInt32>
    ) -> [(hour: UInt32, records: [UInt8])] {
        guard let slot = registry.existingSlot(of: device, tenant: tenant) else { return [] }
        return head.records(ofSlot: slot, hours: hours)
    }
}
