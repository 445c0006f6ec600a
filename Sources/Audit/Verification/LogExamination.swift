import Base

/// Holds a log's entries against its stored hashes and its checkpoints, without any input or output of its own.
///
/// What is trusted, in this order: a checkpoint with a valid signature, the stored hashes, an entry's content. Entries
/// come in pages; a page is the stretch within which a moved entry is recognised as moved.
struct LogExamination {
    /// One place of the log.
    struct Place {
        /// The leaf's content as it stands now, or nil when the entry is not there.
        var content: [UInt8]?
        /// The hash that is stored for it, or nil when that is missing too.
        var stored: TreeHash?
        var code: String?
        var time: Timestamp?
    }

    /// A statement of size and root, and where it came from.
    struct Witness {
        enum Origin: Int {
            /// The log's own checkpoints.
            case log
            /// A checkpoint that was kept elsewhere.
            case elsewhere
            /// The log's head, which nobody has signed.
            case head
        }

        var origin: Origin
        var size: Int64
        var root: TreeHash
        var time: Timestamp?
        /// The keys that have signed it; none when it is no checkpoint.
        var signers: [NoteVerifier] = []
        /// What it declares beyond size and root.
        var restoration: AuditRestoration?
    }

    /// Whether a witness agrees with the stored hashes, and with what the entries hold.
    private struct Verdict {
        var witness: Witness
        var fitsStored: Bool
        var fitsActual: Bool

        var fits: Bool { fitsStored || fitsActual }
    }

    private(set) var report: AuditReport
    /// The tree over what the entries hold now, and over the stored hashes.
    private var actual = TreeFrontier()
    private(set) var stored = TreeFrontier()
    private var witnesses: [Witness]
    private var nextWitness = 0
    private var verdicts: [Verdict] = []
    private var isJudged = false
    /// The size up to which a checkpoint has held, and the one before that.
    private var holds: Int64 = 0
    private var heldBefore: Int64 = 0
    private var mismatches: [AuditDamage] = []
    /// The first checkpoint that does not hold.
    private var broken: Witness?
    /// The first checkpoint that knows of more entries than there are.
    private var beyondEnd: Witness?
    /// The size up to which a checkpoint agrees with the entries and not with the stored hashes.
    private var storedWrongUpTo: Int64 = 0
    /// The last entry that is there or that retention may have dropped.
    private var lastPresent: Int64 = -1
    private(set) var tiles = TileBuilder()

    /// An examination of the log of `tenant`, whose entries before `keptFrom` retention may have dropped.
    init(tenant: TenantID, size: Int64, keptFrom: Int64, witnesses: [Witness], keys: [NoteVerifier]) {
        report = AuditReport(tenant: tenant)
        report.size = size
        report.keptFrom = keptFrom
        report.keys = keys.map(\.description)
        self.witnesses = witnesses.sorted { ($0.size, $0.origin.rawValue) < ($1.size, $1.origin.rawValue) }
        hearWitnesses()
    }

    /// The next entry's index.
    var index: Int64 { stored.size }

    /// True when every checkpoint that was judged has agreed with the stored hashes.
    var isSound: Bool { broken == nil && storedWrongUpTo == 0 }

    mutating func add(_ damage: AuditDamage) { report.add(damage) }

    /// Takes the entries that follow.
    mutating func take(_ page: [Place]) {
        let first = index
        let hashes = page.map { $0.content.map { TreeHash.leaf($0) } }
        findMismatches(page, hashes, from: first)
        for (place, hash) in zip(page, hashes) {
            // An entry that is not there counts as its hash says: whether it may be missing is judged apart.
            let expected = place.stored ?? hash ?? .empty
            actual.append(hash ?? expected)
            stored.append(expected)
            tiles.append(expected)
            if hash != nil { report.entries += 1 }
            if hash != nil || stored.size <= report.keptFrom { lastPresent = stored.size - 1 }
            hearWitnesses()
        }
    }

    // MARK: Entries against stored hashes

    private mutating func findMismatches(_ page: [Place], _ hashes: [TreeHash?], from first: Int64) {
        guard mismatches.count < Limits.listedDamages else { return }
        var storedAt: [TreeHash: Int] = [:]
        var actualAt: [TreeHash: Int] = [:]
        for (offset, place) in page.enumerated() {
            if let hash = place.stored { storedAt[hash] = offset }
            if let hash = hashes[offset] { actualAt[hash] = offset }
        }
        for (offset, place) in page.enumerated() where mismatches.count < Limits.listedDamages {
            let index = first + Int64(offset)
            guard let hash = hashes[offset] else {
                if index >= report.keptFrom || place.stored == nil {
                    mismatches.append(damage(.deleted, index, place, "The entry is missing."))
                }
                continue
            }
            guard let expected = place.stored else {
                mismatches.append(damage(.treeEdited, index, place, "The stored hash of this entry is missing."))
                continue
            }
            guard hash != expected else { continue }
            if let origin = storedAt[hash] {
                // The entry belongs elsewhere. When the one that belongs here is nowhere, it was taken out and the
                // rest moved up.
                let isGone = actualAt[expected] == nil
                mismatches.append(
                    isGone
                        ? damage(.deleted, index, place, "The entry is missing; a later one stands in its place.")
                        : damage(
                            .reordered, index, place,
                            "The entry that stands here belongs to index \(first + Int64(origin))."))
            } else if actualAt[expected] != nil {
                mismatches.append(
                    damage(
                        .added, index, place,
                        "An entry stands here that was never hashed; the one that belongs here is later."))
            } else {
                mismatches.append(damage(.edited, index, place, "The entry's content is not what was hashed."))
            }
        }
    }

    private func damage(_ kind: AuditDamage.Kind, _ index: Int64, _ place: Place, _ message: String) -> AuditDamage {
        AuditDamage(kind: kind, index: index, code: place.code, time: place.time, message: message)
    }

    // MARK: Checkpoints

    private mutating func hearWitnesses() {
        while nextWitness < witnesses.count, witnesses[nextWitness].size <= stored.size {
            let witness = witnesses[nextWitness]
            nextWitness += 1
            guard witness.size == stored.size else { continue }
            verdicts.append(
                Verdict(
                    witness: witness, fitsStored: stored.root == witness.root, fitsActual: actual.root == witness.root))
        }
    }

    /// Judges the checkpoints when all entries are taken: only then it is known which restorations are in the log.
    mutating func judgeWitnesses() {
        guard !isJudged else { return }
        isJudged = true
        let beyond = witnesses[nextWitness...]
        let succession = Succession(
            fitting: verdicts.filter(\.fits).map(\.witness),
            others: verdicts.filter { !$0.fits }.map(\.witness) + beyond)
        for witness in verdicts.filter(\.fits).map(\.witness) { report.add(witness) }
        for verdict in verdicts {
            let witness = verdict.witness
            if !verdict.fits, let end = succession.end(of: witness) {
                report.addGivenUp(witness.size, endedAt: end)
                continue
            }
            guard broken == nil else { continue }
            guard verdict.fits else {
                broken = witness
                // Another witness of the same size may hold: then the two speak of different histories.
                if holds == witness.size { holds = heldBefore }
                continue
            }
            if !verdict.fitsStored { storedWrongUpTo = witness.size }
            if witness.size > holds { heldBefore = holds }
            holds = witness.size
            if witness.origin == .log {
                report.checkpoints += 1
                report.signedSize = witness.size
            }
        }
        for witness in beyond {
            if let end = succession.end(of: witness) {
                report.addGivenUp(witness.size, endedAt: end)
            } else if beyondEnd == nil, witness.size > max(stored.size, report.size) {
                beyondEnd = witness
            }
        }
    }

    // MARK: The end

    /// Draws the conclusions when all entries are taken; `trimmedTo` is how far recorded retention has gone.
    mutating func finish(trimmedTo: Int64) -> AuditReport {
        judgeWitnesses()
        // Missing entries with nothing after them are a log that was cut off.
        mismatches.removeAll { $0.kind == .deleted && ($0.index ?? 0) > lastPresent }
        for mismatch in mismatches where (mismatch.index ?? 0) >= storedWrongUpTo { report.add(mismatch) }
        if storedWrongUpTo > 0 {
            report.add(
                AuditDamage(
                    kind: .treeEdited, index: mismatches.first?.index,
                    message: "Stored hashes were changed; the entries themselves agree with the checkpoints."))
        }
        let end = lastPresent + 1
        if end < report.size {
            report.add(
                AuditDamage(
                    kind: .truncated, index: end,
                    message: "The log ends here, though \(report.size) entries were placed."))
        }
        if let broken { judge(broken) }
        if report.keptFrom > trimmedTo {
            report.add(
                AuditDamage(
                    kind: .deleted, index: trimmedTo,
                    message:
                        "The oldest entries are missing up to \(report.keptFrom), and no retention is recorded that "
                        + "dropped them."))
        }
        if let witness = beyondEnd {
            let isOwn = witness.origin == .log
            let whose = isOwn ? "the checkpoint" : "a checkpoint that was kept elsewhere"
            report.add(
                AuditDamage(
                    kind: isOwn ? .truncated : .rolledBack, index: end, time: witness.time,
                    message: "The log ends here, but \(whose)\(Self.moment(witness)) knows \(witness.size) entries."))
        }
        return report
    }

    private mutating func judge(_ broken: Witness) {
        let range = "an entry between \(holds) and \(broken.size - 1)"
        if broken.origin == .elsewhere {
            report.add(
                AuditDamage(
                    kind: .rolledBack, index: holds, time: broken.time,
                    message:
                        "A checkpoint\(Self.moment(broken)) that was kept elsewhere speaks of another history from "
                        + "\(range) on: the log was put back and has gone on differently."))
        } else if !mismatches.contains(where: { ($0.index ?? 0) >= holds }), lastPresent + 1 >= broken.size {
            // Entry and stored hash agree with each other, so only the stretch can be named.
            report.add(
                AuditDamage(
                    kind: .edited, index: holds, time: broken.time,
                    message: broken.origin == .log
                        ? "The checkpoint\(Self.moment(broken)) does not fit: \(range) was changed, and the stored "
                            + "hashes with it."
                        : "The log's head does not fit: \(range) was changed, and the stored hashes with it."))
        }
    }

    private static func moment(_ witness: Witness) -> String { witness.time.map { " of \($0)" } ?? "" }
}

/// Builds the tiles above the leaves again, to hold them against the stored ones.
struct TileBuilder {
    private var levels: [(position: Int64, hashes: [TreeHash])] = []
    /// The tiles of the levels from 1 on: complete ones, then what each level has begun.
    private(set) var complete: [(level: Int, position: Int64, hashes: [TreeHash])] = []

    mutating func append(_ leaf: TreeHash) { append(leaf, level: 0) }

    private mutating func append(_ hash: TreeHash, level: Int) {
        if level == levels.count { levels.append((0, [])) }
        levels[level].hashes.append(hash)
        guard levels[level].hashes.count == Int(TreeTiles.width) else { return }
        let (position, hashes) = levels[level]
        levels[level] = (position + 1, [])
        if level > 0 { complete.append((level, position, hashes)) }
        append(TreeTiles.root(over: hashes[...]), level: level + 1)
    }

    var begun: [(level: Int, position: Int64, hashes: [TreeHash])] {
        levels.enumerated().dropFirst().filter { !$0.element.hashes.isEmpty }
            .map { ($0.offset, $0.element.position, $0.element.hashes) }
    }
}
