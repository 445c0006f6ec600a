public import Base

/// One place where a log is not what it was.
public struct AuditDamage: Sendable, Hashable {
    /// What happened to it.
    public enum Kind: String, Sendable {
        /// An entry's content differs from what was hashed.
        case edited
        /// An entry is missing while later ones are there.
        case deleted
        /// Entries stand in another order.
        case reordered
        /// There is an entry that was never hashed.
        case added
        /// The newest entries are missing, and checkpoints beside them know of more.
        case truncated
        /// The whole log is older than a checkpoint that was kept elsewhere, or goes on differently from it.
        case rolledBack
        /// A checkpoint's signature is not that of the log's key.
        case forgedCheckpoint
        /// The stored hashes differ from the tree; the entries themselves agree with the checkpoints.
        case treeEdited
    }

    /// What happened.
    public var kind: Kind
    /// The first bad entry, or the first that may be bad.
    public var index: Int64?
    /// That entry's code as it stands, when it is there.
    public var code: String?
    /// That entry's time as it stands; for a checkpoint, when it was made.
    public var time: Timestamp?
    /// What was found, in one sentence.
    public var message: String
}

/// What verification found in one log.
public struct AuditReport: Sendable, Hashable {
    /// The log's tenant.
    public var tenant: TenantID
    /// How many entries the log says to have.
    public var size: Int64 = 0
    /// How many entries were read and hashed.
    public var entries: Int64 = 0
    /// The first entry that retention has left.
    public var keptFrom: Int64 = 0
    /// The size of the newest checkpoint that holds.
    public var signedSize: Int64 = 0
    /// How many checkpoints hold.
    public var checkpoints = 0
    /// The keys that the checkpoints were checked with: what to compare with a copy from elsewhere.
    public var keys: [String] = []
    /// Entries that wait for their place and are not protected yet: a running server has them for a second.
    public var pending = 0
    /// The oldest of these.
    public var oldestPending: Timestamp?
    /// The first damages, the worst-placed first.
    public var damages: [AuditDamage] = []
    /// How many damages there are, listed or not.
    public var damageCount = 0

    /// True when nothing is wrong.
    public var isIntact: Bool { damageCount == 0 }

    /// Entries after the newest checkpoint: they hold together, but nobody has signed for them yet.
    public var unsigned: Int64 { max(size - signedSize, 0) }

    init(tenant: TenantID) { self.tenant = tenant }

    mutating func add(_ damage: AuditDamage) {
        damageCount += 1
        damages.append(damage)
        damages.sort { ($0.index ?? .max) < ($1.index ?? .max) }
        if damages.count > Limits.listedDamages { damages.removeLast() }
    }
}
