import Base
import Telemetry

/// Feeds the decoder of SenML packs in CBOR with bytes nobody vouches for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSenMLCBOR(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let payload = UnsafeRawBufferPointer(start: start, count: count)
    var decoder = TelemetryDecoder(limits: limits, names: SeriesNameCache(capacity: limits.names, seed: 1))
    var batch = ReadingBatch()
    let accepted = decode(payload, with: &decoder, into: &batch)
    precondition(accepted || batch.readings.isEmpty, "a refused payload left readings")
    for reading in batch.readings { check(reading, of: batch, names: decoder.names) }
    // Known names take another way through the cache, and must lead to the same.
    let first = batch
    batch.removeAll()
    precondition(decode(payload, with: &decoder, into: &batch) == accepted, "the second verdict differs")
    precondition(batch.readings == first.readings && batch.bytes == first.bytes, "the second reading differs")
    return 0
}

/// Small, so that the limits are reached.
private var limits: InputLimits {
    var limits = InputLimits()
    limits.readings = 64
    limits.names = 256
    limits.nameBytes = 32
    limits.textBytes = 64
    limits.depth = 6
    return limits
}

private func decode(
    _ payload: UnsafeRawBufferPointer, with decoder: inout TelemetryDecoder, into batch: inout ReadingBatch
) -> Bool {
    let moment = Timestamp(microseconds: 1_700_000_000_000_000)
    do throws(InputFault) {
        try decoder.decode(payload, as: .senMLCBOR, received: moment, into: &batch)
        return true
    } catch {
        precondition(error.offset >= 0, "a fault before the first byte")
        return false
    }
}

/// What every reading promises.
private func check(_ reading: Reading, of batch: ReadingBatch, names: SeriesNameCache) {
    guard let name = names.name(at: reading.series) else { preconditionFailure("a reading of no series") }
    precondition(!name.isEmpty && name.utf8.count <= limits.nameBytes, "a name that is no name")
    switch reading.value {
    case .number(let number):
        let again = try? DecimalNumber(text: number.description)
        precondition(again == number, "a number changed on its way through text")
    case .boolean: break
    case .text(let range):
        precondition(batch.data(range).count == Int(range.count), "a text outside the batch")
        precondition(Array(batch.text(range).utf8) == Array(batch.data(range)), "a text that is not UTF-8")
    case .data(let range): precondition(batch.data(range).count == Int(range.count), "data outside the batch")
    }
}
