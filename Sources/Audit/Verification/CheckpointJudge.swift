import Base

/// Sorts a log's checkpoints into those whose signature counts and those that somebody made up.
struct CheckpointJudge {
    let keys: [NoteVerifier]
    private(set) var witnesses: [LogExamination.Witness] = []
    private(set) var forgeries: [AuditDamage] = []

    init(keys: [NoteVerifier]) { self.keys = keys }

    /// Takes a checkpoint that says to be of `size`, when its row says so.
    mutating func take(_ note: String, size: Int64?, time: Timestamp?, origin: LogExamination.Witness.Origin) {
        guard let signed = SignedNote(note), let checkpoint = Checkpoint(text: signed.text),
            keys.contains(where: { $0.name == checkpoint.origin && $0.verifies(signed) }),
            size == nil || size == checkpoint.size
        else {
            forgeries.append(
                AuditDamage(
                    kind: .forgedCheckpoint,
                    index: size ?? SignedNote(note).flatMap { Checkpoint(text: $0.text)?.size },
                    time: time, message: "A checkpoint does not carry a valid signature of the log's key."))
            return
        }
        witnesses.append(.init(origin: origin, size: checkpoint.size, root: checkpoint.root, time: time))
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
