import Base
import FoundationEssentials

/// A signed statement of a tree's size and root, in the C2SP tlog-checkpoint form (c2sp.org/tlog-checkpoint).
public struct Checkpoint: Hashable, Sendable {
    /// The log it speaks of: the name of its key.
    public let origin: String
    /// How many entries the tree had.
    public let size: Int64
    /// The root over them.
    public let root: TreeHash
    /// What it declares when it is the first one after a backup was put back.
    public let restoration: AuditRestoration?

    /// The statement about this log, size and root.
    public init(origin: String, size: Int64, root: TreeHash, restoration: AuditRestoration? = nil) {
        self.origin = origin
        self.size = size
        self.root = root
        self.restoration = restoration
    }

    /// The text that is signed.
    public var text: String {
        "\(origin)\n\(size)\n\(Data(root.bytes).base64EncodedString())\n\(restoration?.lines ?? "")"
    }

    /// The statement in a signed note, whoever signed it, or nil when there is none.
    init?(note: String) {
        guard let note = SignedNote(note) else { return nil }
        self.init(text: note.text)
    }

    /// The statement in a note's text, or nil when it is none; other extensions after the third line are passed over.
    public init?(text: String) {
        let lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count >= 4, lines.last?.isEmpty == true, !lines[0].isEmpty,
            let size = Int64(Substring(lines[1])), size >= 0, String(size) == Substring(lines[1]),
            let root = Data(base64Encoded: String(Substring(lines[2]))).flatMap({ TreeHash($0) })
        else { return nil }
        self.init(
            origin: String(Substring(lines[0])), size: size, root: root,
            restoration: AuditRestoration(lines: lines[3..<(lines.count - 1)].map { Substring($0) }))
    }
}

/// The name under which a tenant's checkpoints are signed: `<deployment>/audit/<tenant>`.
enum AuditOrigin {
    private static let platform = "platform"

    /// The tenant that a checkpoint of this origin speaks of.
    static func tenant(_ origin: String) -> TenantID? {
        let steps = origin.split(separator: "/", omittingEmptySubsequences: false)
        guard steps.count == 3, steps[1] == "audit" else { return nil }
        return steps[2] == platform ? .platform : TenantID(text: steps[2])
    }

    static func name(deployment: String, tenant: TenantID) -> String {
        "\(deployment)/audit/\(tenant == .platform ? platform : tenant.text)"
    }
}
