public import Base

/// One value of one series at one time, as a device sent it.
public struct Reading: Hashable, Sendable {
    /// When: the device's own time, or one derived from the moment of receipt.
    public var time: Timestamp
    /// Which series: an index into the `SeriesNameCache` that the decoder was given.
    public var series: Int32
    /// Whether the device gave an absolute time; otherwise `time` is the moment of receipt plus the device's offset.
    public var isStamped: Bool
    /// The value.
    public var value: ReadingValue
    /// The unit that the device named, or `.none`.
    public var unit: UnitSymbol

    /// A reading of the series at this index.
    public init(time: Timestamp, series: Int32, isStamped: Bool, value: ReadingValue, unit: UnitSymbol = .none) {
        self.time = time
        self.series = series
        self.isStamped = isStamped
        self.value = value
        self.unit = unit
    }
}

/// What a reading says.
public enum ReadingValue: Hashable, Sendable {
    /// An exact number.
    case number(DecimalNumber)
    /// True or false.
    case boolean(Bool)
    /// Text, or a nested JSON value kept as its text.
    case text(ByteRange)
    /// Opaque bytes.
    case data(ByteRange)

    /// A place in `ReadingBatch.bytes`.
    public struct ByteRange: Hashable, Sendable {
        /// Where the bytes start.
        public var offset: UInt32
        /// How many there are.
        public var count: UInt32
    }
}

/// What decoders fill: readings in the order in which they came, and the bytes of their texts.
///
/// Keep one and empty it between payloads: then its storage is reused, and decoding allocates nothing.
public struct ReadingBatch: Sendable {
    /// The readings.
    public var readings: [Reading] = []
    /// The bytes that text and data values point into.
    public private(set) var bytes: [UInt8] = []

    /// An empty batch.
    public init() {}

    /// Empties the batch and keeps its storage.
    public mutating func removeAll() {
        readings.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    /// The text of a text value.
    public func text(_ range: ReadingValue.ByteRange) -> String { String(decoding: data(range), as: UTF8.self) }

    /// The bytes of a text or data value; none when the range is another batch's.
    public func data(_ range: ReadingValue.ByteRange) -> ArraySlice<UInt8> {
        let end = Int(range.offset) + Int(range.count)
        return end <= bytes.count ? bytes[Int(range.offset)..<end] : []
    }

    /// A point to which a refused payload takes the batch back.
    struct Mark {
        fileprivate let readings: Int
        fileprivate let bytes: Int
    }

    var mark: Mark { Mark(readings: readings.count, bytes: bytes.count) }

    mutating func rewind(to mark: Mark) {
        readings.removeLast(readings.count - mark.readings)
        bytes.removeLast(bytes.count - mark.bytes)
    }

    /// Appends a value's bytes, or nil when the batch's bytes no longer fit 32-bit places.
    mutating func store(_ content: UnsafeBufferPointer<UInt8>) -> ReadingValue.ByteRange? {
        let offset = bytes.count
        guard offset + content.count <= Int(UInt32.max) else { return nil }
        bytes.append(contentsOf: content)
        return ReadingValue.ByteRange(offset: UInt32(offset), count: UInt32(content.count))
    }

    /// Appends a single byte of the data value that began at `offset`.
    mutating func store(_ byte: UInt8) { bytes.append(byte) }
}
