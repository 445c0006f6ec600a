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

/// A restoration that is declared in a log, signed by the key that the log had before.
public struct ReportedRestoration: Sendable, Hashable {
    /// What is declared.
    public let restoration: AuditRestoration
    /// The size of the checkpoint that declares it.
    public let declaredAt: Int64
    /// The most entries that a checkpoint of the history that was given up knows of, when one was seen.
    public internal(set) var known: Int64?

    /// The facts for a program.
    public var json: JSONValue {
        [
            "backup": .string(restoration.backup), "time": .string(restoration.time.rfc3339),
            "kept": .integer(restoration.kept), "known": known.map { .integer($0) } ?? .null,
        ]
    }
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
    /// The restorations that are declared in the log, the oldest first.
    public var restorations: [ReportedRestoration] = []
    /// The first damages, the worst-placed first.
    public var damages: [AuditDamage] = []
    /// How many damages there are, listed or not.
    public var damageCount = 0
    /// The root over everything that was read, when it was read to its end.
    public var root: TreeHash?
    /// When the newest checkpoint that holds was made.
    public var signedTime: Timestamp?
    /// When the first entry that is kept happened.
    public var firstTime: Timestamp?
    /// When the last one happened.
    public var lastTime: Timestamp?

    /// True when nothing is wrong.
    public var isIntact: Bool { damageCount == 0 }

    /// Entries after the newest checkpoint: they hold together, but nobody has signed for them yet.
    public var unsigned: Int64 { max(size - signedSize, 0) }

    init(tenant: TenantID) { self.tenant = tenant }

    /// Takes a checkpoint that fits the log.
    mutating func add(_ witness: LogExamination.Witness) {
        guard let restoration = witness.restoration, !restorations.contains(where: { $0.declaredAt == witness.size })
        else { return }
        restorations.append(ReportedRestoration(restoration: restoration, declaredAt: witness.size))
    }

    /// Notes that a checkpoint of this size belongs to the history that ended with a restoration.
    mutating func addGivenUp(_ size: Int64, endedAt end: Int64) {
        guard let index = restorations.firstIndex(where: { $0.declaredAt == end }) else { return }
        restorations[index].known = max(restorations[index].known ?? 0, size)
    }

    mutating func add(_ damage: AuditDamage) {
        damageCount += 1
        damages.append(damage)
        damages.sort { ($0.index ?? .max) < ($1.index ?? .max) }
        if damages.count > Limits.listedDamages { damages.removeLast() }
    }
}
