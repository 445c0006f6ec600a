import Base

@testable import Audit

extension Probe {
    /// Signed notes, checkpoints and keys as text.
    public static func auditNote(_ bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        if let note = SignedNote(text) {
            try check(SignedNote(note.encoded) == note, "a note that is written again is the same")
            try check(note.text.hasSuffix("\n"), "a note's text ends with a line break")
            if let checkpoint = Checkpoint(text: note.text) {
                try check(
                    Checkpoint(text: checkpoint.text) == checkpoint, "a checkpoint that is written again is the same")
                try check(checkpoint.size >= 0, "a tree has no less than no entries")
            }
        }
        if let verifier = NoteVerifier(text) {
            try check(NoteVerifier(verifier.description) == verifier, "a key that is written again is the same")
        }
    }

    /// An exported bundle as a file, and each of its lines by itself.
    public static func auditBundle(_ bytes: [UInt8]) throws {
        for line in bytes.split(separator: 0x0A) {
            guard case .entry(_, let content, let leaf)? = ReadBundleLine(Array(line)) else { continue }
            if let leaf, let content = content.content { try check(leaf.bytes == content, "a leaf is its bytes") }
        }
        try ScratchFile.with(bytes) { path in
            guard let report = try? AuditVerification.bundle(at: path) else { return }
            try check(report.damages.count <= Limits.listedDamages, "a bounded number of damages is listed")
        }
    }
}
