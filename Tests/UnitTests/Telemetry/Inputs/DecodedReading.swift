import Base

@testable import Telemetry

/// A reading in a form that a test can write down.
struct DecodedReading: Equatable, CustomStringConvertible {
    var name: String
    var value: String
    var unit: String
    var time: Int64
    var isStamped: Bool

    init(_ name: String, _ value: String, _ unit: String = "", at time: Int64 = moment, stamped: Bool = false) {
        self.name = name
        self.value = value
        self.unit = unit
        self.time = time
        isStamped = stamped
    }

    var description: String { "\(name)=\(value) \(unit) @\(time)\(isStamped ? "!" : "")" }

    /// When the payloads of the tests are received, in microseconds.
    static let moment: Int64 = 1_700_000_000_000_000
}

extension TelemetryDecoder {
    /// Decodes `payload` with a new decoder and writes the readings down: numbers plain, text in quotes, data in hex.
    static func decoded(_ payload: [UInt8], as format: TelemetryFormat? = nil) throws -> [DecodedReading] {
        var decoder = TelemetryDecoder(names: SeriesNameCache(seed: 1))
        var batch = ReadingBatch()
        try decoder.decode(
            payload, as: format, received: Timestamp(microseconds: DecodedReading.moment), into: &batch)
        return batch.readings.map { decoder.written($0, in: batch) }
    }

    func written(_ reading: Reading, in batch: ReadingBatch) -> DecodedReading {
        let value =
            switch reading.value {
            case .number(let number): number.description
            case .boolean(let isTrue): isTrue ? "true" : "false"
            case .text(let range): "'\(batch.text(range))'"
            case .data(let range): batch.data(range).hex
            }
        return DecodedReading(
            names.name(at: reading.series) ?? "?", value, reading.unit.text, at: reading.time.microseconds,
            stamped: reading.isStamped)
    }

    /// The fault with which `payload` is refused, or nil.
    static func fault(_ payload: [UInt8], as format: TelemetryFormat? = nil, limits: InputLimits = InputLimits())
        -> InputFault?
    {
        var decoder = TelemetryDecoder(limits: limits, names: SeriesNameCache(capacity: limits.names, seed: 1))
        var batch = ReadingBatch()
        do throws(InputFault) {
            try decoder.decode(
                payload, as: format, received: Timestamp(microseconds: DecodedReading.moment), into: &batch)
        } catch {
            return batch.readings.isEmpty && batch.bytes.isEmpty ? error : nil
        }
        return nil
    }
}
