public import Base
import Synchronization

/// New records of chosen devices, as they become durable, for people who are watching.
///
/// While nobody watches, the cost for each record is one atomic read. A watcher that is slow loses its oldest records,
/// never the server's memory.
public final class LiveFeed: Sendable {
    /// One value as it arrived.
    public struct Update: Sendable {
        /// The series' name.
        public var series: String
        /// The unit, when one is known.
        public var unit: String?
        /// The record's time.
        public var time: Timestamp
        /// The value.
        public var value: PointValue
    }

    /// How many updates wait for one slow watcher before the oldest is dropped.
    public static let bufferedUpdates = 1024

    private typealias Continuation = AsyncStream<Update>.Continuation

    private struct State {
        var next: UInt64 = 0
        var watchers: [UInt32: [UInt64: Continuation]] = [:]
    }

    private let registry: LogRegistry
    private let state = Mutex(State())
    private let watcherCount = Atomic<Int>(0)

    init(registry: LogRegistry) {
        self.registry = registry
    }

    /// The updates of one device from now on; ends when the consumer stops iterating.
    public func updates(tenant: TenantID, device: DeviceID) -> AsyncStream<Update> {
        let slot = registry.slot(of: device, tenant: tenant)
        return AsyncStream(bufferingPolicy: .bufferingNewest(Self.bufferedUpdates)) { continuation in
            let id = state.withLock { state in
                state.next += 1
                state.watchers[slot, default: [:]][state.next] = continuation
                return state.next
            }
            watcherCount.add(1, ordering: .relaxed)
            continuation.onTermination = { [weak self] _ in self?.remove(id, slot: slot) }
        }
    }

    /// Ends every watcher's stream, at a graceful stop.
    func close() {
        let open = state.withLock { $0.watchers.values.flatMap(\.values) }
        for continuation in open { continuation.finish() }
    }

    /// Shows a frame that is on disk now to those who watch its device.
    func publish(slot: UInt32, hour: UInt32, records: UnsafeRawBufferPointer) {
        guard watcherCount.load(ordering: .relaxed) > 0 else { return }
        let watchers = state.withLock { $0.watchers[slot]?.values.map { $0 } ?? [] }
        guard !watchers.isEmpty else { return }
        let begin = Int64(hour) * LogFrame.millisecondsPerHour
        _ = LogFrame.forEachValue(in: records) { milliseconds, value in
            guard let series = registry.series(value.series),
                let time = Timestamp(milliseconds: begin + milliseconds)
            else { return }
            let update = Update(
                series: series.series.name, unit: series.unit, time: time,
                value: .exact(value.mantissa, exponent: value.exponent))
            for watcher in watchers { watcher.yield(update) }
        }
    }

    private func remove(_ id: UInt64, slot: UInt32) {
        let removed = state.withLock { state in
            let found = state.watchers[slot]?.removeValue(forKey: id) != nil
            if state.watchers[slot]?.isEmpty == true { state.watchers[slot] = nil }
            return found
        }
        if removed { watcherCount.subtract(1, ordering: .relaxed) }
    }
}
