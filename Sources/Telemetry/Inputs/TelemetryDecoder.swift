public import Base
public import NIOCore

/// Turns the payloads of one connection into readings: keep one decoder for each connection, because it remembers the
/// series names that the connection uses.
///
/// A payload is accepted whole or refused whole; a refused one leaves the batch as it was. A body that begins as gzip
/// does is unpacked first, whatever the format. Nothing here reads a clock: "now" is the moment of receipt passed in.
public struct TelemetryDecoder: Sendable {
    /// The series names behind the readings' indexes.
    public internal(set) var names: SeriesNameCache
    /// How much one payload may ask.
    public let limits: InputLimits

    /// A decoder for one connection.
    public init(limits: InputLimits = InputLimits(), names: SeriesNameCache? = nil) {
        self.limits = limits
        self.names = names ?? SeriesNameCache(capacity: limits.names)
    }

    /// Appends the readings of `payload` to `batch`; without a format, the payload's own bytes tell it.
    public mutating func decode(
        _ payload: ByteBuffer, as format: TelemetryFormat? = nil, received: Timestamp, into batch: inout ReadingBatch
    ) throws(InputFault) {
        try payload.withUnsafeReadableBytes { bytes throws(InputFault) in
            try decode(bytes, as: format, received: received, into: &batch)
        }
    }

    /// Appends the readings of `payload` to `batch`; without a format, the payload's own bytes tell it.
    public mutating func decode(
        _ payload: [UInt8], as format: TelemetryFormat? = nil, received: Timestamp, into batch: inout ReadingBatch
    ) throws(InputFault) {
        try payload.withUnsafeBufferPointer { bytes throws(InputFault) in
            try decode(UnsafeRawBufferPointer(bytes), as: format, received: received, into: &batch)
        }
    }

    /// Appends the readings of `payload` to `batch`; without a format, the payload's own bytes tell it.
    public mutating func decode(
        _ payload: UnsafeRawBufferPointer, as format: TelemetryFormat? = nil, received: Timestamp,
        into batch: inout ReadingBatch
    ) throws(InputFault) {
        names.makeRoom()
        try withContent(of: payload) { decoder, content throws(InputFault) in
            try decoder.document(content, as: format, received: received, into: &batch)
        }
    }

    /// Calls `body` with the payload's bytes, unpacked when they are gzip.
    mutating func withContent(
        of payload: UnsafeRawBufferPointer,
        _ body: (inout TelemetryDecoder, UnsafeBufferPointer<UInt8>) throws(InputFault) -> Void
    ) throws(InputFault) {
        guard payload.count <= limits.payloadBytes else { throw InputFault(.tooLarge, at: limits.payloadBytes) }
        let bytes = payload.assumingMemoryBound(to: UInt8.self)
        guard TelemetryFormat.isGzip(bytes) else {
            try body(&self, bytes)
            return
        }
        let unpacked = try Gzip.unpack(bytes, limits: limits)
        try unpacked.withUnsafeBufferPointer { bytes throws(InputFault) in try body(&self, bytes) }
    }

    /// Decodes one document, all or nothing.
    mutating func document(
        _ bytes: UnsafeBufferPointer<UInt8>, as format: TelemetryFormat?, received: Timestamp,
        into batch: inout ReadingBatch
    ) throws(InputFault) {
        guard !bytes.isEmpty else { throw InputFault(.empty, at: 0) }
        let found: TelemetryFormat
        if let format { found = format } else { found = try TelemetryFormat.find(bytes, depthLimit: limits.depth) }
        let context = DecodingContext(received: received, limits: limits)
        let mark = batch.mark
        do throws(InputFault) {
            switch found {
            case .senMLJSON:
                var scanner = JSONScanner(bytes, depthLimit: limits.depth)
                try SenMLJSON.decode(&scanner, context: context, names: &names, into: &batch)
                try scanner.expectEnd()
            case .thingsBoardJSON:
                var scanner = JSONScanner(bytes, depthLimit: limits.depth)
                try ThingsBoardJSON.decode(&scanner, context: context, names: &names, into: &batch)
                try scanner.expectEnd()
            case .senMLCBOR:
                var scanner = CBORScanner(bytes, depthLimit: limits.depth)
                try SenMLCBOR.decode(&scanner, context: context, names: &names, into: &batch)
                try scanner.expectEnd()
            }
        } catch {
            batch.rewind(to: mark)
            throw error
        }
    }
}
