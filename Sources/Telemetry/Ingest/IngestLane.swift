import Base
import NIOCore

/// The way of readings from payload to log on one event loop, for all devices of a tenant that have the same rules:
/// decode, check, append.
///
/// Its working memory and the names it has learnt are shared by those devices, because what each connection kept for
/// itself would have gone cold by its next message.
///
/// Guard of `@unchecked Sendable`: used on the appender's event loop only.
public final class IngestLane: @unchecked Sendable {
    private struct Placed {
        var milliseconds: Int64
        var value: LoggedValue
    }

    let tenant: TenantID
    private let appender: LoopAppender
    private let clock: WallClock
    private var decoder = TelemetryDecoder()
    private var normaliser: Normaliser
    private var batch = ReadingBatch()
    private var placed: [Placed] = []
    /// The series of the last payload's texts, and how many there were.
    private var texts: (series: [Int32], count: Int) = ([], 0)
    private var records: [UInt8] = []

    init(
        rules: SeriesRules, tenant: TenantID, registry: LogRegistry, appender: LoopAppender, clock: WallClock
    ) {
        self.tenant = tenant
        self.appender = appender
        self.clock = clock
        normaliser = Normaliser(rules: rules, tenant: tenant, registry: registry)
    }

    func accept(
        _ payload: ByteBuffer, as format: TelemetryFormat?, from slot: UInt32
    ) throws(Refusal) -> DeviceIngest.Accepted {
        let received = clock.now
        begin()
        do throws(InputFault) {
            try decoder.decode(payload, as: format, received: received, into: &batch)
        } catch {
            throw error.refusal
        }
        if let (series, fault) = place(batch.readings[...], received: received) { throw fault.refusal(series: series) }
        return try write(slot)
    }

    func acceptLines(
        _ payload: ByteBuffer, as format: TelemetryFormat?, from slot: UInt32
    ) throws(Refusal) -> DeviceIngest.AcceptedLines {
        let received = clock.now
        begin()
        let verdicts: LineVerdicts
        do throws(InputFault) {
            verdicts = try payload.withUnsafeReadableBytes { bytes throws(InputFault) in
                try decoder.decodeLines(bytes, as: format, received: received, into: &batch)
            }
        } catch {
            throw error.refusal
        }
        var result = DeviceIngest.AcceptedLines()
        var refused = verdicts.faults.map { (line: $0.line ?? 0, refusal: $0.refusal) }
        for line in verdicts.lines {
            if let (series, fault) = place(batch.readings[line.readings], received: received) {
                refused.append((line.number, fault.refusal(series: series, line: line.number)))
            } else {
                result.lines += 1
            }
        }
        result.refused = refused.sorted { $0.line < $1.line }.map(\.refusal)
        if !placed.isEmpty { result.accepted = try write(slot) }
        return result
    }

    /// Why texts of the last payload were left out, for its sender.
    var leftOut: Refusal {
        let names = texts.series.map { decoder.names.name(at: $0) ?? "" }
        return ReadingFault.text.refusal(leavingOut: names, count: texts.count)
    }

    private func begin() {
        batch.removeAll()
        placed.removeAll(keepingCapacity: true)
        texts = ([], 0)
    }

    /// Places readings that belong together, all numbers of them or none; returns what is wrong when it is none.
    private func place(
        _ readings: ArraySlice<Reading>, received: Timestamp
    ) -> (series: String, fault: ReadingFault)? {
        let (start, textsBefore) = (placed.count, texts)
        var refused: (series: String, fault: ReadingFault)?
        for reading in readings {
            do throws(ReadingFault) {
                let value = try normaliser.normalise(reading, names: decoder.names, received: received)
                let milliseconds = reading.time.milliseconds
                guard milliseconds >= 0 else { throw .tooOld }
                placed.append(Placed(milliseconds: milliseconds, value: value))
            } catch {
                refused = (decoder.names.name(at: reading.series) ?? "", error)
                guard error == .text else { break }
                leaveOut(reading)
            }
        }
        guard let refused, refused.fault != .text || placed.count == start else { return nil }
        placed.removeSubrange(start...)
        texts = textsBefore
        return refused
    }

    private func leaveOut(_ text: Reading) {
        texts.count += 1
        if texts.series.count < Self.namedTexts, !texts.series.contains(text.series) {
            texts.series.append(text.series)
        }
    }

    /// The most series of texts that an answer names.
    private static let namedTexts = 16

    /// Writes what is placed.
    private func write(_ slot: UInt32) throws(Refusal) -> DeviceIngest.Accepted {
        guard let first = placed.first else { throw InputFault(.empty, at: 0).refusal }
        let isOneRecord = placed.allSatisfy { $0.milliseconds == first.milliseconds }
        let ticket = isOneRecord ? write(slot, placed[...], hour: Self.hour(of: first)) : writeInHours(slot)
        return DeviceIngest.Accepted(ticket: ticket, values: placed.count, texts: texts.count)
    }

    /// Many times in one payload: one frame for each run of readings of the same hour.
    private func writeInHours(_ slot: UInt32) -> UInt64 {
        var ticket: UInt64 = 0
        var start = 0
        while start < placed.count {
            let hour = Self.hour(of: placed[start])
            let end = placed[start...].firstIndex { Self.hour(of: $0) != hour } ?? placed.count
            ticket = write(slot, placed[start..<end], hour: hour)
            start = end
        }
        return ticket
    }

    /// Appends one frame with the readings of one hour, neighbours of the same time as one record.
    private func write(_ slot: UInt32, _ readings: ArraySlice<Placed>, hour: UInt32) -> UInt64 {
        records.removeAll(keepingCapacity: true)
        let begin = Int64(hour) * LogFrame.millisecondsPerHour
        var start = readings.startIndex
        while start < readings.endIndex {
            let time = readings[start].milliseconds
            var end = start + 1
            while end < readings.endIndex, readings[end].milliseconds == time { end += 1 }
            LogFrame.appendRecord(at: time - begin, values: readings[start..<end].lazy.map(\.value), to: &records)
            start = end
        }
        return appender.append(slot: slot, hour: hour, records: records)
    }

    /// Times are between 1970 and 9999 here, so the hour fits.
    private static func hour(of reading: Placed) -> UInt32 {
        UInt32(clamping: reading.milliseconds / LogFrame.millisecondsPerHour)
    }
}
