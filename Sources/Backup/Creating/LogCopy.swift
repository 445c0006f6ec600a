import Base
import FoundationEssentials

/// The telemetry log's files on their way into an archive.
///
/// Segments are opened before the chunks are copied and read afterwards: an open file can be read to its end even when
/// the log has removed it meanwhile because chunks hold its records. See docs/decisions/0007-backup.md.
struct LogCopy {
    private static let registry = "registry.log"
    /// Says up to where chunks hold what the log holds.
    private static let mark = "flushed"

    private let directory: String
    private var segments: [String: InputFile] = [:]
    private let mark: InputFile?

    /// Opens the segments that are there now, and the mark as it is before chunks are copied: those hold what it says.
    init(_ directory: String) throws {
        self.directory = directory
        let path = "\(directory)/\(Self.mark)"
        mark = FileManager.default.fileExists(atPath: path) ? try InputFile(path) : nil
        try openNew()
    }

    /// Adds the segments, with those begun since, as far as they reach now, and the registry that names what they use.
    mutating func add(to archive: ArchiveWriter) throws {
        try openNew()
        // The lengths first, the registry last: it is written before the groups that need it.
        let lengths = try segments.mapValues { try $0.length }
        for (name, file) in segments.sorted(by: { $0.key < $1.key }) {
            try archive.add(.telemetry(name), file, length: lengths[name])
        }
        if let mark { try archive.add(.telemetry(Self.mark), mark) }
        let registry = "\(directory)/\(Self.registry)"
        if FileManager.default.fileExists(atPath: registry) {
            try archive.add(.telemetry(Self.registry), InputFile(registry))
        }
    }

    private mutating func openNew() throws {
        guard FileManager.default.fileExists(atPath: directory) else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            guard name.hasPrefix("log-"), name.hasSuffix(".seg"), segments[name] == nil else { continue }
            do {
                segments[name] = try InputFile("\(directory)/\(name)")
            } catch let refusal as Refusal {
                // Listed, and removed before it could be opened: chunks hold its records.
                guard FileManager.default.fileExists(atPath: "\(directory)/\(name)") else { continue }
                throw refusal
            }
        }
    }
}
