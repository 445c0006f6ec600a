import Base
import Synchronization

/// The newest records of every device, in memory, from the moment they are on disk until a chunk holds them.
///
/// The log's writer appends, queries and the flusher read. Devices are spread over shards by slot, so that they
/// rarely wait for each other.
final class Head: Sendable {
    /// A device's buffer as the flusher took it: enough to write a chunk and to forget exactly that afterwards.
    struct Portion: Sendable {
        var slot: UInt32
        var hour: UInt32
        var records: [UInt8]
        /// Groups after this one may hold more of the same hour.
        var nextSequence: UInt64
    }

    private struct Shard {
        var devices: [DeviceHead] = []
        var bytes = 0
    }

    private static let shardCount = 64
    private let shards: [Cell]
    private let clock: WallClock

    /// A Mutex must stay in place; a class gives it one.
    private final class Cell: Sendable {
        let shard = Mutex(Shard())
    }

    init(clock: WallClock) {
        shards = (0..<Self.shardCount).map { _ in Cell() }
        self.clock = clock
    }

    /// Takes one frame of group `sequence`.
    func take(slot: UInt32, hour: UInt32, records: UnsafeRawBufferPointer, sequence: UInt64, now: Int64) {
        withShard(of: slot) { shard, index in
            if shard.devices.count <= index {
                shard.devices.append(contentsOf: repeatElement(DeviceHead(), count: index + 1 - shard.devices.count))
            }
            shard.bytes += records.count
            if let place = shard.devices[index].hours.lastIndex(where: { $0.hour == hour }) {
                shard.devices[index].hours[place].append(records)
            } else {
                var buffer = HourBuffer(hour: hour, sequence: sequence, since: now)
                buffer.append(records)
                shard.devices[index].hours.append(buffer)
            }
        }
    }

    /// The open records of a device whose hour lies in `hours`, oldest hour first.
    func records(ofSlot slot: UInt32, hours: ClosedRange<UInt32>) -> [(hour: UInt32, records: [UInt8])] {
        withShard(of: slot) { shard, index in
            guard index < shard.devices.count else { return [] }
            return shard.devices[index].hours.filter { hours.contains($0.hour) }.map { ($0.hour, $0.records) }
                .sorted { $0.hour < $1.hour }
        }
    }

    /// Bytes of records held.
    var bytes: Int { shards.reduce(0) { $0 + $1.shard.withLock { $0.bytes } } }

    /// The oldest log group that still holds a record that is only here, or nil when none does.
    func oldestSequence() -> UInt64? {
        shards.compactMap { cell in
            cell.shard.withLock { shard in shard.devices.lazy.flatMap(\.hours).map(\.firstSequence).min() }
        }.min()
    }

    /// Copies of the buffers for which `isDue` holds; `sequence` is the newest group that the head has taken.
    func portions(
        limit: Int, lastSequence sequence: UInt64, where isDue: (_ hour: UInt32, _ since: Int64, _ bytes: Int) -> Bool
    ) -> [Portion] {
        var found: [Portion] = []
        for (number, cell) in shards.enumerated() {
            cell.shard.withLock { shard in
                for (index, device) in shard.devices.enumerated() {
                    for buffer in device.hours where found.count < limit {
                        guard isDue(buffer.hour, buffer.since, buffer.records.count) else { continue }
                        found.append(
                            Portion(
                                slot: UInt32(index * Self.shardCount + number), hour: buffer.hour,
                                records: buffer.records, nextSequence: sequence + 1))
                    }
                }
            }
            if found.count >= limit { break }
        }
        return found
    }

    /// Forgets what a chunk now holds; records that came meanwhile stay.
    func forget(_ portion: Portion, now: Int64) {
        withShard(of: portion.slot) { shard, index in
            guard index < shard.devices.count,
                let place = shard.devices[index].hours.firstIndex(where: { $0.hour == portion.hour })
            else { return }
            shard.bytes -= portion.records.count
            if shard.devices[index].hours[place].records.count <= portion.records.count {
                shard.devices[index].hours.remove(at: place)
            } else {
                shard.devices[index].hours[place].drop(
                    first: portion.records.count, nextSequence: portion.nextSequence, now: now)
            }
        }
    }

    /// Marks series as listed in the database for a device and returns those that were not.
    func listSeries(_ series: Set<UInt32>, ofSlot slot: UInt32) -> [UInt32] {
        withShard(of: slot) { shard, index in
            guard index < shard.devices.count else { return Array(series) }
            let new = series.subtracting(shard.devices[index].listedSeries)
            shard.devices[index].listedSeries.append(contentsOf: new)
            return new.sorted()
        }
    }

    private func withShard<T>(of slot: UInt32, _ body: (inout sending Shard, Int) -> sending T) -> sending T {
        shards[Int(slot) % Self.shardCount].shard.withLock { shard in
            body(&shard, Int(slot) / Self.shardCount)
        }
    }
}
