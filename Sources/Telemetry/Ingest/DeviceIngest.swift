public import Base
public import NIOCore

/// The way of one connection's readings from payload to log: decode, check, append, all on the connection's loop.
///
/// A payload is accepted whole or refused whole, so an acknowledgement never covers a reading that was dropped.
///
/// Guard of `@unchecked Sendable`: used on the appender's event loop only.
public final class DeviceIngest: @unchecked Sendable {
    /// What one accepted payload became.
    public struct Accepted: Sendable {
        /// Durable when the appender says that this ticket is.
        public var ticket: UInt64
        /// How many values it held.
        public var values: Int
    }

    private struct Placed {
        var milliseconds: Int64
        var value: LoggedValue
    }

    private let slot: UInt32
    private let appender: LoopAppender
    private let clock: WallClock
    private var decoder = TelemetryDecoder()
    private var normaliser: Normaliser
    private var batch = ReadingBatch()
    private var placed: [Placed] = []
    private var records: [UInt8] = []

    /// The way in for a device's connection.
    init(slot: UInt32, rules: SeriesRules, tenant: TenantID, registry: LogRegistry, appender: LoopAppender, clock: WallClock) {
        self.slot = slot
        self.appender = appender
        self.clock = clock
        normaliser = Normaliser(rules: rules, tenant: tenant, registry: registry)
    }

    /// Takes one payload; without a format its own bytes tell it.
    public func accept(_ payload: ByteBuffer, as format: TelemetryFormat? = nil) throws(Refusal) -> Accepted {
        let received = clock.now
        batch.removeAll()
        do throws(InputFault) {
            try decoder.decode(payload, as: format, received: received, into: &batch)
        } catch {
            throw error.refusal
        }
        return try append(received: received)
    }

    /// Takes a newline-delimited body, in which each line has its own verdict.
    public func acceptLines(
        _ payload: ByteBuffer, as format: TelemetryFormat? = nil
    ) throws(Refusal) -> (accepted: Accepted?, verdicts: LineVerdicts) {
        let received = clock.now
        batch.removeAll()
        let verdicts: LineVerdicts
        do throws(InputFault) {
            verdicts = try payload.withUnsafeReadableBytes { bytes throws(InputFault) in
                try decoder.decodeLines(bytes, as: format, received: received, into: &batch)
            }
        } catch {
            throw error.refusal
        }
        return (batch.readings.isEmpty ? nil : try append(received: received), verdicts)
    }

    private func append(received: Timestamp) throws(Refusal) -> Accepted {
        placed.removeAll(keepingCapacity: true)
        var isOneRecord = true
        for reading in batch.readings {
            do throws(ReadingFault) {
                let value = try normaliser.normalise(reading, names: decoder.names, received: received)
                let milliseconds = reading.time.milliseconds
                guard milliseconds >= 0 else { throw .tooOld }
                isOneRecord = isOneRecord && (placed.first.map { $0.milliseconds == milliseconds } ?? true)
                placed.append(Placed(milliseconds: milliseconds, value: value))
            } catch {
                throw error.refusal(series: decoder.names.name(at: reading.series) ?? "")
            }
        }
        guard let first = placed.first else { throw InputFault(.empty, at: 0).refusal }
        if isOneRecord { return Accepted(ticket: write(placed[...], hour: Self.hour(of: first)), values: placed.count) }
        return Accepted(ticket: writeInHours(), values: placed.count)
    }

    /// Many times in one payload: one frame for each run of readings of the same hour.
    private func writeInHours() -> UInt64 {
        var ticket: UInt64 = 0
        var start = 0
        while start < placed.count {
            let hour = Self.hour(of: placed[start])
            let end = placed[start...].firstIndex { Self.hour(of: $0) != hour } ?? placed.count
            ticket = write(placed[start..<end], hour: hour)
            start = end
        }
        return ticket
    }

    /// Appends one frame with the readings of one hour, neighbours of the same time as one record.
    private func write(_ readings: ArraySlice<Placed>, hour: UInt32) -> UInt64 {
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
