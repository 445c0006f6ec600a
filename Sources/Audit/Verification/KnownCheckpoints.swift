import Base
import FoundationEssentials

/// Checkpoints that were kept elsewhere than beside the database: an earlier copy of the checkpoint file, or notes.
public struct KnownCheckpoints: Sendable {
    private var keys: [TenantID: Set<NoteVerifier>] = [:]
    private var notes: [TenantID: [(time: Timestamp?, note: String)]] = [:]

    /// No checkpoints.
    public init() {}

    /// The checkpoints in a file with one signed note, in a checkpoint file, or in the directory of one.
    ///
    /// It reads files: not on an event loop.
    public init(at path: String) throws {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw Refusal(.unavailable, "audit.file", "There is no \(path) with checkpoints.")
        }
        if isDirectory {
            for line in try CheckpointFile.read(directory: path) { add(line) }
        } else {
            guard let size = FileStatus(of: path)?.size, size <= Limits.checkpointFileBytes * 2,
                let bytes = FileManager.default.contents(atPath: path)
            else { throw Refusal(.unavailable, "audit.file", "\(path) can not be read, or is too large.") }
            if let note = String(validating: bytes, as: UTF8.self), add(note: note) { return }
            for line in bytes.split(separator: 0x0A) { CheckpointFile.Line(line).map { add($0) } }
        }
        guard !notes.isEmpty else {
            throw Refusal(
                .invalid, "audit.noCheckpoints",
                "\(path) holds no checkpoint. Give a signed checkpoint, an audit/checkpoints.log, or its directory.")
        }
    }

    /// These checkpoints and those.
    public mutating func formUnion(_ other: KnownCheckpoints) {
        keys.merge(other.keys) { $0.union($1) }
        notes.merge(other.notes) { $0 + $1 }
    }

    /// The signed notes about a log.
    func notes(of tenant: TenantID) -> [String] { notes[tenant]?.map(\.note) ?? [] }

    /// Adds everything to what the checkpoint file says.
    func add(to pinned: inout [TenantID: AuditVerification.Pinned]) {
        for (tenant, keys) in keys { pinned[tenant, default: .init()].keys.formUnion(keys) }
        for (tenant, notes) in notes {
            pinned[tenant, default: .init()].checkpoints += notes.map { ($0.time, $0.note) }
        }
    }

    /// What of this counts for a log whose keys are `trusted`: the newest checkpoint and every declared restoration, as
    /// lines for the checkpoint file, with the keys that these declare.
    func evidence(
        of tenant: TenantID, trusted: [NoteVerifier]
    ) -> (lines: [CheckpointFile.Line], newest: (size: Int64, time: Timestamp?)?) {
        let notes = notes[tenant] ?? []
        var judge = CheckpointJudge(keys: trusted)
        judge.adopt(notes.map(\.note))
        var lines: [CheckpointFile.Line] = judge.keys.filter { !trusted.contains($0) }.map { .key(tenant, $0) }
        var newest: (size: Int64, time: Timestamp?, note: String)?
        for (time, note) in notes {
            guard let checkpoint = Checkpoint(note: note), judge.signers(of: note, checkpoint) != nil else { continue }
            if checkpoint.restoration != nil {
                lines.append(.checkpoint(tenant, madeAt: time, note: note))
            }
            if checkpoint.size > newest?.size ?? -1 { newest = (checkpoint.size, time, note) }
        }
        if let newest { lines.append(.checkpoint(tenant, madeAt: newest.time, note: newest.note)) }
        return (lines, newest.map { ($0.size, $0.time) })
    }

    private mutating func add(_ line: CheckpointFile.Line) {
        switch line {
        case .key(let tenant, let key): keys[tenant, default: []].insert(key)
        case .checkpoint(let tenant, let time, let note): notes[tenant, default: []].append((time, note))
        }
    }

    private mutating func add(note: String) -> Bool {
        guard let checkpoint = Checkpoint(note: note), let tenant = AuditOrigin.tenant(checkpoint.origin) else {
            return false
        }
        notes[tenant, default: []].append((nil, note))
        return true
    }
}
