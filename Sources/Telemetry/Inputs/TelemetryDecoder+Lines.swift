public import Base

/// What became of a newline-delimited body.
public struct LineVerdicts: Hashable, Sendable {
    /// A line that holds readings.
    public struct Line: Hashable, Sendable {
        /// Counted from one.
        public var number: Int
        /// Its readings' indexes in the batch.
        public var readings: Range<Int>
    }

    /// The lines that hold readings, in order.
    public var lines: [Line] = []
    /// How many these are.
    public var accepted: Int { lines.count }
    /// Why each of the other lines was refused, in order, with its number.
    public var faults: [InputFault] = []
}

extension TelemetryDecoder {
    /// Appends the readings of a newline-delimited body (one JSON document a line) to `batch`.
    ///
    /// Each line has its own verdict: a refused line leaves no reading and does not touch the others. Empty lines are
    /// skipped. Without a format, each line tells its own. Only what concerns the whole body is thrown.
    public mutating func decodeLines(
        _ payload: UnsafeRawBufferPointer, as format: TelemetryFormat? = nil, received: Timestamp,
        into batch: inout ReadingBatch
    ) throws(InputFault) -> LineVerdicts {
        names.makeRoom()
        var verdicts = LineVerdicts()
        let mark = batch.mark
        do throws(InputFault) {
            try withContent(of: payload) { decoder, content throws(InputFault) in
                try decoder.lines(content, as: format, received: received, into: &batch, verdicts: &verdicts)
            }
        } catch {
            batch.rewind(to: mark)
            throw error
        }
        return verdicts
    }

    private mutating func lines(
        _ content: UnsafeBufferPointer<UInt8>, as format: TelemetryFormat?, received: Timestamp,
        into batch: inout ReadingBatch, verdicts: inout LineVerdicts
    ) throws(InputFault) {
        var start = 0
        var number = 0
        while start < content.count {
            let end = content[start...].firstIndex(of: UInt8(ascii: "\n")) ?? content.count
            number += 1
            guard number <= limits.lines else { throw InputFault(.tooManyLines, at: start) }
            let line = UnsafeBufferPointer(rebasing: content[start..<end])
            start = end + 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let before = batch.readings.count
            do throws(InputFault) {
                try document(line, as: format, received: received, into: &batch)
                verdicts.lines.append(LineVerdicts.Line(number: number, readings: before..<batch.readings.count))
            } catch {
                var fault = error
                fault.line = number
                verdicts.faults.append(fault)
            }
        }
        if number == 0 { throw InputFault(.empty, at: 0) }
    }
}
