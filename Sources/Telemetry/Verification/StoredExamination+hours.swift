import Base

/// One stored part of a device's hour.
struct ChunkRow: Sendable {
    var place: ChunkPlace
    var part: Int64
    var body: [UInt8]
}

extension StoredExamination {
    /// Examines the parts of one device's hour, in order, and lays them and what the log holds over each other.
    mutating func examine(_ parts: [ChunkRow], day: Int64, file: String) {
        guard let place = parts.first?.place else { return }
        var whole = HourColumns(hour: place.hour, columns: [:])
        var isSound = true
        for part in parts {
            report.chunks += 1
            do throws(ChunkProblem) {
                guard ChunkStore.day(ofHour: place.hour) == day else {
                    throw ChunkProblem(.misplaced, "The chunk lies in another day's file.")
                }
                let columns = try Self.columns(of: part)
                report.storedPoints += columns.columns.values.reduce(0) { $0 + $1.times.count }
                whole.overlay(columns)
                for number in columns.columns.keys.sorted() where names[place.tenant]?[number] == nil {
                    throw ChunkProblem(.nameless, "Series number \(number) has no name.")
                }
            } catch {
                isSound = false
                report.add(
                    TelemetryDamage(
                        error.kind, file: file, part: part.part, tenant: place.tenant, device: place.device,
                        hour: place.hour, error.message))
            }
        }
        let records = log.remove(place)
        count(whole, records, at: place)
        if isSound, let records { findLost(records, in: whole, at: place) }
    }

    /// Counts what the log holds of hours that have no chunk.
    mutating func countRest() {
        for (tenant, devices) in log.records {
            for (device, hours) in devices {
                for (hour, records) in hours {
                    let nothing = HourColumns(hour: hour, columns: [:])
                    count(nothing, records, at: ChunkPlace(tenant: tenant, device: device, hour: hour))
                }
            }
        }
    }

    /// Counts the points that a query finds of one device's hour, each series and time once.
    private mutating func count(_ stored: HourColumns, _ records: LogExamination.Records?, at place: ChunkPlace) {
        var times: [String: Set<Int64>] = [:]
        for (number, column) in stored.columns {
            times[names[place.tenant]?[number] ?? "\(number)", default: []].formUnion(column.times)
        }
        for (name, open) in namedTimes(records?.open ?? [], hour: place.hour) {
            times[name, default: []].formUnion(open)
        }
        report.visiblePoints += times.values.reduce(0) { $0 + $1.count }
    }

    /// Readings that the next start will not take, because the mark says that chunks hold them: they must be there,
    /// unless they have ended meanwhile.
    private mutating func findLost(_ records: LogExamination.Records, in stored: HourColumns, at place: ChunkPlace) {
        var day = place
        day.hour -= day.hour % 24
        guard !summarised.contains(day) else { return }
        var held: [String: Set<Int64>] = [:]
        for (number, column) in stored.columns {
            if let name = names[place.tenant]?[number] { held[name] = Set(column.times) }
        }
        var lost = 0
        for (name, times) in namedTimes(records.flushed, hour: place.hour) {
            lost += times.subtracting(held[name] ?? []).count
        }
        guard lost > 0 else { return }
        report.add(
            TelemetryDamage(
                .lost, file: records.file, offset: records.offset, tenant: place.tenant, device: place.device,
                hour: place.hour, "\(lost) values that the log says chunks hold are in none."))
    }

    private func namedTimes(_ records: [UInt8], hour: UInt32) -> [String: Set<Int64>] {
        var times: [String: Set<Int64>] = [:]
        for (number, column) in HourColumns(hour: hour, records: records)?.columns ?? [:] {
            if let name = log.series[number]?.name { times[name, default: []].formUnion(column.times) }
        }
        return times
    }

    /// Opens and decodes a part's chunk, and compares each column with its summary.
    private static func columns(of part: ChunkRow) throws(ChunkProblem) -> HourColumns {
        let chunk: Chunk
        let (points, columns): ([ChunkPoints], HourColumns)
        do throws(ChunkFault) {
            chunk = try Chunk(part.body, at: part.place)
            points = try chunk.points()
            columns = try HourColumns(chunk: chunk, hour: part.place.hour)
        } catch {
            throw ChunkProblem(error)
        }
        for (column, summary) in zip(points, chunk.summaries) {
            guard let what = difference(of: column, from: summary) else { continue }
            throw ChunkProblem(
                .summary, "Series number \(summary.series): the summary's \(what) is not what the points say.")
        }
        return columns
    }

    /// What of a summary is not what the points say.
    private static func difference(of column: ChunkPoints, from summary: ChunkSummary) -> String? {
        let (times, mantissas) = (column.times, column.mantissas)
        if summary.count != mantissas.count { return "count" }
        if summary.first != mantissas.first || summary.last != mantissas.last { return "first or last value" }
        if summary.minimum != mantissas.min() || summary.maximum != mantissas.max() { return "minimum or maximum" }
        if summary.sum != mantissas.reduce(0, { $0 + Int128($1) }) { return "sum" }
        if summary.firstTime != times.first || summary.lastTime != times.last { return "first or last time" }
        if summary.firstTime < 0 || summary.lastTime >= LogFrame.millisecondsPerHour { return "time" }
        return nil
    }
}

/// Why a chunk is not as it was written.
private struct ChunkProblem: Error {
    var kind: TelemetryDamage.Kind
    var message: String

    init(_ kind: TelemetryDamage.Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(_ fault: ChunkFault) {
        switch fault {
        case .damaged:
            self.init(.damaged, "The chunk does not fit its checksum: it is damaged, or another device's or hour's.")
        case .unknownVersion: self.init(.malformed, "The chunk's version is none that this program knows.")
        case .malformed, .tooLarge, .badColumn, .noSuchColumn:
            self.init(.malformed, "The chunk breaks the format's rules (\(fault.rawValue)).")
        }
    }
}
