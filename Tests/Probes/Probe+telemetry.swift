import Base
import Telemetry

extension Probe {
    /// A SenML pack in JSON (RFC 8428).
    public static func senMLJSON(_ bytes: [UInt8]) throws { try telemetry(bytes, .senMLJSON) }

    /// A SenML pack in CBOR (RFC 8428).
    public static func senMLCBOR(_ bytes: [UInt8]) throws { try telemetry(bytes, .senMLCBOR) }

    /// ThingsBoard's JSON, and before it the rule that tells the formats apart.
    public static func thingsBoard(_ bytes: [UInt8]) throws { try telemetry(bytes, nil) }

    /// A report of telemetry: refused whole, or read twice alike, within the limits.
    private static func telemetry(_ bytes: [UInt8], _ format: TelemetryFormat?) throws {
        var decoder = TelemetryDecoder(
            limits: telemetryLimits, names: SeriesNameCache(capacity: telemetryLimits.names, seed: 1))
        var batch = ReadingBatch()
        let isAccepted = try decode(bytes, format, with: &decoder, into: &batch)
        try check(isAccepted || batch.readings.isEmpty, "a refused payload leaves no readings")
        for reading in batch.readings { try check(reading, of: batch, names: decoder.names) }
        // Known names take another way through the cache, and must lead to the same.
        let first = batch
        batch.removeAll()
        let again = try decode(bytes, format, with: &decoder, into: &batch)
        try check(again == isAccepted, "a payload is accepted both times or never")
        try check(batch.readings == first.readings && batch.bytes == first.bytes, "both readings are the same")
    }

    /// Small, so that the limits are reached.
    private static var telemetryLimits: InputLimits {
        var limits = InputLimits()
        limits.readings = 64
        limits.names = 256
        limits.nameBytes = 32
        limits.textBytes = 64
        limits.depth = 6
        return limits
    }

    private static func decode(
        _ bytes: [UInt8], _ format: TelemetryFormat?, with decoder: inout TelemetryDecoder,
        into batch: inout ReadingBatch
    ) throws -> Bool {
        do throws(InputFault) {
            try decoder.decode(
                bytes, as: format, received: Timestamp(microseconds: 1_700_000_000_000_000), into: &batch)
            return true
        } catch {
            try check((0...bytes.count).contains(error.offset), "a fault stands within the payload")
            return false
        }
    }

    private static func check(_ reading: Reading, of batch: ReadingBatch, names: SeriesNameCache) throws {
        let name = names.name(at: reading.series) ?? ""
        try check(!name.isEmpty && name.utf8.count <= telemetryLimits.nameBytes, "a reading has the name of a series")
        switch reading.value {
        case .number(let number):
            let again = try? DecimalNumber(text: number.description)
            try check(again == number, "a number stays the same on its way through text")
        case .boolean: break
        case .text(let range):
            try check(batch.data(range).count == Int(range.count), "a text stands within the batch")
            try check(Array(batch.text(range).utf8) == Array(batch.data(range)), "a text is UTF-8")
        case .data(let range):
            try check(batch.data(range).count == Int(range.count), "data stand within the batch")
        }
    }
}
