import Base
import Dispatch
import FoundationEssentials
import Trust

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A second place for checkpoints, outside the database: whoever puts an older database back does not put this back.
///
/// Each line is a JSON object that names a tenant with a key of its log or with a checkpoint. The file is bounded: when
/// it grows too large, a new one takes its place that holds every key, every declared restoration and the newest
/// checkpoint of each tenant, and the old one is kept beside it once.
final class CheckpointFile: Sendable {
    /// What one line says.
    enum Line: Hashable, Sendable {
        case key(TenantID, NoteVerifier)
        /// A checkpoint, and when it was made as far as it is known.
        case checkpoint(TenantID, madeAt: Timestamp?, note: String)

        var text: String {
            switch self {
            case .key(let tenant, let verifier):
                JSONValue.object(["tenant": .string(tenant.text), "key": .string(verifier.description)]).canonical
            case .checkpoint(let tenant, let madeAt, let note):
                JSONValue.object(
                    ["tenant": .string(tenant.text), "checkpoint": .string(note)].merging(
                        madeAt.map { ["time": .string($0.rfc3339)] } ?? [:]
                    ) { $1 }
                ).canonical
            }
        }

        init?(_ text: some Collection<UInt8>) {
            guard
                let value = try? JSONValue(parsing: Array(text), limits: JSONLimits(bytes: Limits.lineBytes, depth: 2)),
                let tenant = value["tenant"]?.string.flatMap({ TenantID(text: $0) })
            else { return nil }
            if let key = value["key"]?.string.flatMap({ NoteVerifier($0) }) {
                self = .key(tenant, key)
            } else if let note = value["checkpoint"]?.string {
                let time = value["time"]?.string.flatMap { Timestamp(rfc3339: $0) }
                self = .checkpoint(tenant, madeAt: time, note: note)
            } else {
                return nil
            }
        }
    }

    let path: String
    private let limit: Int
    /// Disk writes wait here instead of on the threads that all tasks share.
    private let queue = DispatchQueue(label: "tidegate.audit.checkpoints")
    private let reading = DispatchQueue(label: "tidegate.audit.reading")
    private let directory: String

    init(directory: String, limit: Int = Limits.checkpointFileBytes) throws {
        try SecretFile.createDirectory(directory, for: .owner)
        self.directory = directory
        path = Self.path(in: directory)
        self.limit = limit
    }

    static func path(in directory: String) -> String { "\(directory)/checkpoints.log" }

    /// Appends lines, on disk when this returns.
    func append(_ lines: [Line]) async throws {
        guard !lines.isEmpty else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { continuation.resume(with: Result { try self.write(lines) }) }
        }
    }

    /// Every line that is there now, read beside the threads that all tasks share, and beside what is being appended.
    func read() async throws -> [Line] {
        let directory = directory
        return try await withCheckedThrowingContinuation { continuation in
            reading.async { continuation.resume(with: Result { try Self.read(directory: directory) }) }
        }
    }

    /// Every line of the file and of the one that it replaced, the older first; broken lines are passed over, for a
    /// crash may have cut the last one.
    static func read(directory: String) throws -> [Line] {
        let path = path(in: directory)
        return try ["\(path).1", path].filter(SecretFile.exists).flatMap { path -> [Line] in
            let bytes: Data
            do { bytes = try Data(contentsOf: URL(filePath: path)) } catch { throw failure("read", path) }
            return bytes.split(separator: 0x0A).compactMap { Line($0) }
        }
    }

    private func write(_ lines: [Line]) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        let end = lseek(descriptor, 0, SEEK_END)
        do {
            defer { close(descriptor) }
            // A line that a crash cut off must not swallow the next one, so each write begins on a line of its own.
            var bytes: [UInt8] = end > 0 ? [0x0A] : []
            for line in lines { bytes += Array(line.text.utf8) + [0x0A] }
            try Self.write(bytes, to: descriptor, path)
            guard fdatasync(descriptor) == 0 else { throw Self.failure("write", path) }
        }
        if Int(end) > limit { try compact() }
    }

    private func compact() throws {
        var lasting: [Line] = []
        var newest: [TenantID: Line] = [:]
        let all = try Data(contentsOf: URL(filePath: path)).split(separator: 0x0A).compactMap { Line($0) }
        for line in all {
            switch line {
            case .key: lasting.append(line)
            case .checkpoint(let tenant, _, let note):
                newest[tenant] = line
                if Checkpoint(note: note)?.restoration != nil { lasting.append(line) }
            }
        }
        let kept = lasting + newest.sorted { $0.key < $1.key }.map(\.value)
        try SecretFile.rename(from: path, to: "\(path).1")
        try SecretFile.replace(path, with: kept.flatMap { Array($0.text.utf8) + [0x0A] })
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write", path)
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ verb: String, _ path: String) -> Refusal {
        Refusal(
            .unavailable, "audit.file", "Can not \(verb) \(path): \(String(cString: strerror(errno))).")
    }
}
