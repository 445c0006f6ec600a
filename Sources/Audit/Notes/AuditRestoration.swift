public import Base

/// What a log's first checkpoint after a backup was put back states beyond size and root.
///
/// It is written as extension lines of the checkpoint, which carries two signatures: of the key that signed until then,
/// and of a new one that signs from here on. So it takes the old key to declare a restoration, and what the old key
/// signed beyond `kept` is known to belong to the history that was given up, whoever still holds it.
public struct AuditRestoration: Hashable, Sendable {
    /// The backup's name.
    public let backup: String
    /// When it was put back.
    public let time: Timestamp
    /// How many of the log's entries the backup held: the history that goes on.
    public let kept: Int64
    /// The key that signs from here on.
    let key: NoteVerifier

    init(backup: String, time: Timestamp, kept: Int64, key: NoteVerifier) {
        self.backup = backup
        self.time = time
        self.kept = kept
        self.key = key
    }

    /// The extension lines, each with its line break.
    var lines: String { "restored \(backup)\nrestored-at \(time.rfc3339)\nkept \(kept)\nnext-key \(key)\n" }

    /// The statement in a checkpoint's extension lines, or nil when there is none.
    init?(lines: some Collection<Substring>) {
        let lines = Array(lines)
        let words = ["restored ", "restored-at ", "kept ", "next-key "]
        guard lines.count == words.count, zip(lines, words).allSatisfy({ $0.hasPrefix($1) }) else { return nil }
        let values = zip(lines, words).map { String($0.dropFirst($1.count)) }
        guard !values[0].isEmpty, let time = Timestamp(rfc3339: values[1]), let kept = Int64(values[2]), kept >= 0,
            let key = NoteVerifier(values[3])
        else { return nil }
        self.init(backup: values[0], time: time, kept: kept, key: key)
        // One restoration has one spelling, as everything that is signed here.
        guard self.lines == lines.joined(separator: "\n") + "\n" else { return nil }
    }
}
