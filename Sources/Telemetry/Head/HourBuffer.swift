/// The records of one device and one hour that are on disk in the log but not yet in a chunk.
struct HourBuffer: Sendable {
    /// Hours since the epoch.
    let hour: UInt32
    /// The records as `LogFrame` writes them, in the order of arrival.
    private(set) var records: [UInt8]
    /// The log group that holds the oldest of them.
    private(set) var firstSequence: UInt64
    /// When the first of them arrived, in seconds of the head's clock.
    private(set) var since: Int64

    init(hour: UInt32, sequence: UInt64, since: Int64) {
        self.hour = hour
        records = []
        firstSequence = sequence
        self.since = since
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        records.append(contentsOf: bytes)
    }

    /// Forgets the first `count` bytes, which a chunk holds now; what follows came with `sequence` or later.
    mutating func drop(first count: Int, nextSequence sequence: UInt64, now: Int64) {
        records.removeFirst(min(count, records.count))
        firstSequence = sequence
        since = now
    }
}

/// What the head knows of one device.
struct DeviceHead: Sendable {
    /// The open hours, few: usually one.
    var hours: [HourBuffer] = []
    /// Series that the database already lists for this device.
    var listedSeries: [UInt32] = []
}
