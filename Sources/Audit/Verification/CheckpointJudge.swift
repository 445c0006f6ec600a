import Base

/// Sorts a log's checkpoints into those whose signature counts and those that somebody made up.
struct CheckpointJudge {
    /// The keys that count: those given, and those that a declared restoration has put in the place of one.
    private(set) var keys: [NoteVerifier]
    private(set) var witnesses: [LogExamination.Witness] = []
    private(set) var forgeries: [AuditDamage] = []

    init(keys: [NoteVerifier]) { self.keys = keys }

    /// Lets the keys count that restorations among these notes have put in the place of one that counts.
    mutating func adopt(_ notes: [String]) {
        var rest = notes.filter { Checkpoint(note: $0)?.restoration != nil }
        var found = true
        while found {
            found = false
            for note in rest {
                let before = keys.count
                guard let checkpoint = Checkpoint(note: note), signers(of: note, checkpoint) != nil else { continue }
                adopt(note, checkpoint)
                found = found || keys.count > before
            }
            rest.removeAll { note in Checkpoint(note: note)?.restoration.map { keys.contains($0.key) } ?? true }
        }
    }

    private mutating func adopt(_ note: String, _ checkpoint: Checkpoint) {
        guard let key = checkpoint.restoration?.key, key.name == checkpoint.origin, !keys.contains(key),
            // Both must have signed: the old one to give way, the new one to show that it is there.
            let signed = SignedNote(note), key.verifies(signed)
        else { return }
        keys.append(key)
    }

    /// The keys that count and have signed a note, or nil when none has.
    func signers(of note: String, _ checkpoint: Checkpoint) -> [NoteVerifier]? {
        guard let signed = SignedNote(note) else { return nil }
        let signers = keys.filter { $0.name == checkpoint.origin && $0.verifies(signed) }
        guard !signers.isEmpty else { return nil }
        // What declares a restoration counts only when the key that it brings in has signed it, too.
        if let restoration = checkpoint.restoration, !restoration.key.verifies(signed) { return nil }
        return signers
    }

    /// Takes a checkpoint that says to be of `size`, when its row says so.
    mutating func take(_ note: String, size: Int64?, time: Timestamp?, origin: LogExamination.Witness.Origin) {
        guard let checkpoint = Checkpoint(note: note), let signers = signers(of: note, checkpoint),
            size == nil || size == checkpoint.size
        else {
            forgeries.append(
                AuditDamage(
                    kind: .forgedCheckpoint, index: size ?? Checkpoint(note: note)?.size, time: time,
                    message: "A checkpoint does not carry a valid signature of the log's key."))
            return
        }
        adopt(note, checkpoint)
        witnesses.append(
            .init(
                origin: origin, size: checkpoint.size, root: checkpoint.root, time: time, signers: signers,
                restoration: checkpoint.restoration))
    }

    /// Takes what the log's own head says; it is not signed, but it covers the entries since the newest checkpoint.
    mutating func take(_ head: TreeFrontier) {
        witnesses.append(.init(origin: .head, size: head.size, root: head.root))
    }

    /// Takes what the platform's own tree says of this log; that tree's checkpoints sign for it.
    mutating func take(_ anchor: Anchor, time: Timestamp) {
        witnesses.append(.init(origin: .elsewhere, size: anchor.size, root: anchor.root, time: time))
    }
}
