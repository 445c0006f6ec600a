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

    /// The statement about this log, size and root.
    public init(origin: String, size: Int64, root: TreeHash) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// The text that is signed.
    public var text: String { "\(origin)\n\(size)\n\(Data(root.bytes).base64EncodedString())\n" }

    /// The statement in a note's text, or nil when it is none; lines after the third are extensions and passed over.
    public init?(text: String) {
        let lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count >= 4, lines.last?.isEmpty == true, !lines[0].isEmpty,
            let size = Int64(Substring(lines[1])), size >= 0, String(size) == Substring(lines[1]),
            let root = Data(base64Encoded: String(Substring(lines[2]))).flatMap({ TreeHash($0) })
        else { return nil }
        self.init(origin: String(Substring(lines[0])), size: size, root: root)
    }
}

/// The name under which a tenant's checkpoints are signed: `<deployment>/audit/<tenant>`.
enum AuditOrigin {
    static func name(deployment: String, tenant: TenantID) -> String {
        "\(deployment)/audit/\(tenant == .platform ? "platform" : tenant.text)"
    }
}
