import Base

/// Reads the log as a start would, and says where it is not as it was written.
///
/// A running server may write meanwhile. So the mark is read first, whose promise about chunks can only have come true;
/// then the segments; the registry last, which is written before the groups that need it.
struct LogExamination {
    /// One device's hour, with what the log holds of it.
    typealias Hours = [UInt32: Records]

    /// Records of one device and hour as frames hold them, in the order of arrival.
    struct Records {
        /// Those that a start takes, because nothing says that chunks hold them.
        var open: [UInt8] = []
        /// Those that the mark says chunks hold.
        var flushed: [UInt8] = []
        /// Where the first stands.
        var file: String
        var offset: Int64
    }

    private struct Frame {
        var slot: UInt32
        var hour: UInt32
        var records: [UInt8]
        var isFlushed: Bool
        var file: String
        var offset: Int64
    }

    private let directory: String
    private let tenant: TenantID?
    private let registry = LogRegistry()
    /// The log's numbers of series that records use.
    private(set) var series: [UInt32: LogRegistry.Series] = [:]
    /// What the log holds, of the tenant that is asked for or all.
    private(set) var records: [TenantID: [DeviceID: Hours]] = [:]

    /// Examines the log in `directory`; counts go to `report`.
    init(_ directory: String, tenant: TenantID?, report: inout TelemetryReport) throws {
        self.directory = directory
        self.tenant = tenant
        guard FileStatus(of: directory)?.isDirectory == true else { return }
        let mark = try LogMark.read(in: directory)
        if mark == nil, FileStatus(of: "\(directory)/\(LogMark.fileName)") != nil {
            report.notes.append(
                "\(LogMark.fileName): the mark can not be read; the next start takes the whole log again")
        }
        let frames = try segments(mark: mark ?? 0, report: &report)
        try readRegistry(&report)
        for frame in frames { take(frame, &report) }
    }

    // MARK: Segments

    private func segments(mark: UInt64, report: inout TelemetryReport) throws -> [Frame] {
        var frames: [Frame] = []
        var last: UInt64?
        for name in try LogFile.names(in: directory) {
            guard let first = TelemetryLog.firstSequence(named: name) else { continue }
            // Listed and gone: chunks hold its records, so the server has removed it.
            guard let bytes = try LogFile.contents(of: "\(directory)/\(name)") else { continue }
            report.segments += 1
            // A segment of which not even the first group is left must be missed as well.
            if last == nil { last = first &- 1 }
            var isFirst = true
            bytes.withUnsafeBytes { raw in
                LogGroup.forEach(in: raw) { finding in
                    switch finding {
                    case .damage(let place):
                        report.add(
                            TelemetryDamage(
                                .damaged, file: name, offset: Int64(place.lowerBound),
                                "\(place.count) bytes are no group of records as it was written."))
                    case .unfinished(let place):
                        report.notes.append(
                            "\(name), offset \(place.lowerBound): the last \(place.count) bytes are the beginning of a group: a write that is going on, or that a crash has ended before anybody was told that it is stored"
                        )
                    case .group(let sequence, let place, let content):
                        check(
                            sequence, after: last, named: isFirst ? first : nil, file: name, place.lowerBound, &report)
                        (last, isFirst) = (sequence, false)
                        report.groups += 1
                        let isWhole = LogFrame.forEach(in: UnsafeRawBufferPointer(rebasing: raw[content])) {
                            frames.append(
                                Frame(
                                    slot: $0, hour: $1, records: Array($2), isFlushed: sequence < mark, file: name,
                                    offset: Int64(place.lowerBound)))
                        }
                        if !isWhole {
                            report.add(
                                TelemetryDamage(
                                    .malformed, file: name, offset: Int64(place.lowerBound),
                                    "Group \(sequence) holds bytes that are no frame."))
                        }
                    }
                }
            }
        }
        return frames
    }

    private func check(
        _ sequence: UInt64, after last: UInt64?, named first: UInt64?, file: String, _ offset: Int,
        _ report: inout TelemetryReport
    ) {
        if let first, first != sequence {
            report.add(
                TelemetryDamage(
                    .missing, file: file, offset: Int64(offset),
                    "The file's name says that group \(first) stands first; it is group \(sequence)."))
        } else if let last, last &+ 1 != sequence {
            let what =
                last < sequence
                ? "Groups \(last &+ 1) to \(sequence &- 1) are missing before this one."
                : "Group \(sequence) stands behind group \(last)."
            report.add(
                TelemetryDamage(last < sequence ? .missing : .misplaced, file: file, offset: Int64(offset), what))
        }
    }

    // MARK: Registry and records

    private func readRegistry(_ report: inout TelemetryReport) throws {
        let name = LogRegistry.fileName
        guard let bytes = try LogFile.contents(of: "\(directory)/\(name)") else {
            if report.groups > 0 { report.add(TelemetryDamage(.missing, file: name, "The registry is gone.")) }
            return
        }
        let good = registry.load(bytes)
        guard good < bytes.count else { return }
        if LogRegistry.isUnfinished(bytes[good...]) {
            report.notes.append(
                "\(name), offset \(good): the last \(bytes.count - good) bytes are the beginning of an entry that no record uses yet"
            )
        } else {
            report.add(
                TelemetryDamage(
                    .damaged, file: name, offset: Int64(good),
                    "An entry is not as it was written; those behind it are lost."))
        }
    }

    private mutating func take(_ frame: Frame, _ report: inout TelemetryReport) {
        guard let owner = registry.device(inSlot: frame.slot) else {
            report.add(
                TelemetryDamage(
                    .nameless, file: frame.file, offset: frame.offset, hour: frame.hour,
                    "Slot \(frame.slot) is no device's."))
            return
        }
        if let tenant, tenant != owner.tenant { return }
        var fault: String?
        var values = 0
        let isWhole = frame.records.withUnsafeBytes { raw in
            LogFrame.forEachValue(in: raw) { _, value in
                values += 1
                if series[value.series] == nil { series[value.series] = registry.series(value.series)?.series }
                if series[value.series]?.tenant != owner.tenant {
                    fault = "Number \(value.series) is no series of the device's tenant."
                }
            }
        }
        guard isWhole, fault == nil else {
            report.add(
                TelemetryDamage(
                    isWhole ? .nameless : .malformed, file: frame.file, offset: frame.offset, tenant: owner.tenant,
                    device: owner.device, hour: frame.hour, fault ?? "The bytes are no records."))
            return
        }
        report.loggedValues += values
        if !frame.isFlushed { report.openValues += values }
        var known =
            records[owner.tenant]?[owner.device]?[frame.hour] ?? Records(file: frame.file, offset: frame.offset)
        if frame.isFlushed { known.flushed += frame.records } else { known.open += frame.records }
        records[owner.tenant, default: [:]][owner.device, default: [:]][frame.hour] = known
    }

    /// Takes out what the log holds of a device's hour.
    mutating func remove(_ place: ChunkPlace) -> Records? {
        records[place.tenant]?[place.device]?.removeValue(forKey: place.hour)
    }
}
