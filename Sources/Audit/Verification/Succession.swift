import Base

/// Tells which checkpoints belong to a history that was given up by a restoration that is declared in the log.
///
/// A restoration gives one key's time an end and begins another's. What a key signed before its end must fit the log;
/// what it signed beyond the entries that were kept is given up, and so is every key that came in with a restoration
/// that is itself given up. The newest key has no end, so nothing excuses what it signed: putting the log back without
/// declaring it is found as ever.
struct Succession {
    private typealias End = (size: Int64, restoration: AuditRestoration)

    /// For each key that has given way, the restoration that is in this log.
    private var ends: [NoteVerifier: End] = [:]
    /// Keys of histories that were given up, each with the size of the checkpoint that declared their end.
    private var lost: [NoteVerifier: Int64] = [:]

    /// The succession of the keys in `fitting` checkpoints, with what the `others` say of histories that were given up.
    init(fitting: [LogExamination.Witness], others: [LogExamination.Witness]) {
        for witness in fitting {
            guard let restoration = witness.restoration else { continue }
            for key in witness.signers where key != restoration.key && witness.size > ends[key]?.size ?? -1 {
                ends[key] = (witness.size, restoration)
            }
        }
        var rest = others.filter { $0.restoration != nil }
        // A restoration that was given up may have been declared by a key that came in with another such one.
        var found = true
        while found {
            found = false
            rest.removeAll { witness in
                guard let key = witness.restoration?.key, ends[key] == nil, let end = end(of: witness) else {
                    return false
                }
                lost[key] = end
                found = true
                return true
            }
        }
    }

    /// The size of the checkpoint that declares the restoration which gave up the history that `witness` speaks of, or
    /// nil when none did.
    func end(of witness: LogExamination.Witness) -> Int64? {
        for key in witness.signers {
            if let end = lost[key] { return end }
            guard let (size, restoration) = ends[key] else { continue }
            if let other = witness.restoration {
                if other != restoration, other.time < restoration.time { return size }
            } else if witness.size > restoration.kept {
                return size
            }
        }
        return nil
    }
}
