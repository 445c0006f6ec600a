public import Access
public import Base
import Storage

extension Fleet {
    /// One page of a device's events.
    public struct EventPage: Sendable {
        /// The events, the newest first.
        public let events: [KeptEvent]
        /// Where the next page begins, nil when this is the last.
        public let next: String?
    }

    /// A device's events of a time, the newest first; `cursor` is the `next` of the page before.
    public func events(
        of text: String, from: Timestamp, to: Timestamp, after cursor: String? = nil, limit: Int, in tenant: TenantID,
        by principal: Principal
    ) async throws -> EventPage {
        let reference = try Self.reference(text)
        let place = try cursor.map { text throws(Refusal) in try EventPlace(text) }
        let limit = min(max(limit, 1), FleetLimits.pageSize)
        return try await database.tenant(tenant).read { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRead, in: transaction)
            var events = try EventStore.page(
                of: device.id, from: from, to: to, after: place, limit: limit + 1, in: transaction)
            guard events.count > limit else { return EventPage(events: events, next: nil) }
            events.removeLast()
            return EventPage(events: events, next: events.last.map { EventPlace($0).text })
        }
    }

    /// Removes a tenant's events that were received longer than `age` ago, and of each device those beyond what one
    /// device may keep.
    public func trimEvents(of tenant: TenantID, olderThan age: Duration) async throws {
        let handle = database.tenant(tenant)
        let cutoff = clock.now - age
        while try await handle.write({ try EventStore.trim(before: cutoff, in: $0) }) > 0 {}
        for device in try await handle.read({ try EventStore.overfull(in: $0) }) {
            while try await handle.write({ try EventStore.trim(device, in: $0) }) > 0 {}
        }
    }
}

extension EventPlace {
    init(_ kept: KeptEvent) { self.init(time: kept.event.time, sequence: kept.sequence) }

    /// The text that a caller gives back: opaque, and it grants nothing, because every page is authorised anew.
    var text: String { Array("events \(time.microseconds) \(sequence)".utf8).hex }

    init(_ text: String) throws(Refusal) {
        let plain = [UInt8](hex: text).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
        let parts = plain.split(separator: " ")
        guard parts.count == 3, parts[0] == "events", let time = Int64(parts[1]), let sequence = Int64(parts[2]) else {
            throw Refusal(
                .invalid, "cursor.invalid", "the cursor does not belong to this list; begin again without one")
        }
        self.init(time: Timestamp(microseconds: time), sequence: sequence)
    }
}
