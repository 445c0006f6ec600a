import Base
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension AuditVerification {
    /// Checks an exported bundle against checkpoints known from elsewhere.
    ///
    /// It reads a file: not on an event loop.
    public static func bundle(at path: String, known: KnownCheckpoints) throws -> AuditReport {
        let lines = try LineReader(path: path)
        guard let first = try lines.next(), case .header(let tenant, _, _, _)? = ReadBundleLine(first) else {
            throw noBundle(path)
        }
        let notes = known.notes(of: tenant)
        guard !notes.isEmpty else {
            throw Refusal(
                .invalid, "audit.noCheckpoints",
                "The checkpoints from elsewhere are of other logs, not of this bundle's (\(tenant.text)).")
        }
        return try bundle(at: path, known: notes)
    }

    private static func noBundle(_ path: String) -> Refusal {
        Refusal(.invalid, "audit.noBundle", "\(path) does not begin like an audit bundle.")
    }

    /// Checks an exported bundle on its own.
    ///
    /// `trusted` are keys from another source: with them, a bundle that was signed anew with another key is found.
    /// `known` are checkpoints from another source, such as an earlier bundle or the checkpoint file: with them, a
    /// bundle that was put back to an older state is found. Without them neither can be, and the report's keys are
    /// to be compared by hand. It reads a file: not on an event loop.
    public static func bundle(
        at path: String, trusted: [NoteVerifier] = [], known: [String] = []
    ) throws -> AuditReport {
        let lines = try LineReader(path: path)
        guard let first = try lines.next(),
            case .header(let tenant, let size, let keptFrom, let stated)? = ReadBundleLine(first)
        else { throw noBundle(path) }
        var judge = CheckpointJudge(keys: trusted.isEmpty ? stated : trusted)
        var page = BundlePage(size: size)
        var examination: LogExamination?
        var isWhole = false
        var trimmedTo: Int64 = 0
        var misplaced: [AuditDamage] = []

        func take(_ places: [LogExamination.Place]) {
            if examination == nil {
                // Only now, because one of the bundle's own checkpoints may bring in the key that signed it.
                for note in known { judge.take(note, size: nil, time: nil, origin: .elsewhere) }
                examination = LogExamination(
                    tenant: tenant, size: size, keptFrom: keptFrom, witnesses: judge.witnesses, keys: judge.keys)
            }
            examination?.take(places)
        }

        while let bytes = try lines.next() {
            switch ReadBundleLine(bytes) {
            case .checkpoint(let time, let note): judge.take(note, size: nil, time: time, origin: .log)
            case .tile(let position, let hashes):
                if let places = page.begin(tile: position, hashes) { take(places) }
            case .entry(let index, let content, let leaf):
                guard page.put(content, at: index) else {
                    misplaced.append(
                        AuditDamage(
                            kind: .added, index: index, code: content.code, time: content.time,
                            message: "A second entry, or one far from its place, says to be this one."))
                    continue
                }
                if let leaf, leaf.code == AuditCode.auditTrimmed.text, let end = Int64(leaf.object.id) {
                    trimmedTo = max(trimmedTo, end)
                }
            case .end: isWhole = true
            case .header, nil:
                misplaced.append(
                    AuditDamage(
                        kind: .edited, index: page.start, message: "A line near here is not one of a bundle."))
            }
        }
        take(page.places)
        guard var result = examination else { return AuditReport(tenant: tenant) }
        for damage in misplaced + judge.forgeries { result.add(damage) }
        if !isWhole {
            result.add(
                AuditDamage(kind: .truncated, index: result.index, message: "The bundle's last line is missing."))
        }
        return result.finish(trimmedTo: trimmedTo)
    }
}

/// The stretch of a bundle that is being read: some tiles' hashes and the entries that say to belong there.
private struct BundlePage {
    let size: Int64
    private(set) var start: Int64 = 0
    private(set) var places: [LogExamination.Place] = []

    init(size: Int64) { self.size = size }

    private static let tiles: Int64 = 16

    /// Takes the next tile's hashes, and answers the page before when this one begins another.
    mutating func begin(tile: Int64, _ hashes: [TreeHash]) -> [LogExamination.Place]? {
        let (first, overflow) = tile.multipliedReportingOverflow(by: TreeTiles.width)
        guard !overflow, first < size, first >= start, first - start <= Self.tiles * TreeTiles.width else { return nil }
        var finished: [LogExamination.Place]?
        if first - start == Self.tiles * TreeTiles.width {
            finish(to: first)
            finished = places
            places = []
            start = first
        }
        finish(to: first)
        for (offset, hash) in hashes.prefix(Int(min(TreeTiles.width, size - first))).enumerated() {
            let place = Int(first - start) + offset
            if place < places.count { places[place].stored = hash } else { places.append(.init(stored: hash)) }
        }
        return finished
    }

    /// Puts an entry at its place; false when there is one already or none can be.
    mutating func put(_ content: LogExamination.Place, at index: Int64) -> Bool {
        guard index >= start, index < size, index - start < Self.tiles * TreeTiles.width else { return false }
        finish(to: index + 1)
        let place = Int(index - start)
        guard places[place].content == nil else { return false }
        places[place].content = content.content
        places[place].code = content.code
        places[place].time = content.time
        return true
    }

    /// Fills up with places of which neither hash nor entry is there.
    private mutating func finish(to end: Int64) {
        while start + Int64(places.count) < end { places.append(.init()) }
    }
}

/// Reads a file line by line, none longer than a bound.
private final class LineReader {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit { close(descriptor) }

    func next() throws -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            searched = buffer.count
            guard searched - start <= Limits.lineBytes else {
                throw Refusal(.invalid, "audit.noBundle", "\(path) has a line that is longer than any of a bundle.")
            }
            if isAtEnd {
                defer { start = buffer.count }
                return start < buffer.count ? Array(buffer[start...]) : nil
            }
            searched -= start
            buffer.removeFirst(start)
            start = 0
            try fill()
        }
    }

    private func fill() throws {
        let chunk = 256 * 1024
        let old = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: chunk))
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + old }, chunk) }
        buffer.removeLast(chunk - max(count, 0))
        if count < 0, errno != EINTR { throw Self.failure(path) }
        if count == 0 { isAtEnd = true }
    }

    private static func failure(_ path: String) -> Refusal {
        Refusal(.unavailable, "audit.file", "Can not read \(path): \(String(cString: strerror(errno))).")
    }
}
