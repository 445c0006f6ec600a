import Base
import Storage

/// The last entry of a page: where the next one goes on.
struct PagePlace: Hashable, Comparable, Sendable {
    var time: Timestamp
    var position: Int64

    static func < (left: PagePlace, right: PagePlace) -> Bool {
        (left.time, left.position) < (right.time, right.position)
    }

    init(time: Timestamp, position: Int64) {
        self.time = time
        self.position = position
    }

    init?(_ text: String) {
        guard text.utf8.count == 32, let bytes = [UInt8](hex: text) else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
            Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
        time = Timestamp(microseconds: number(bytes[..<8]))
        position = number(bytes[8...])
    }

    var text: String {
        [UInt64(bitPattern: time.microseconds), UInt64(bitPattern: position)].flatMap { number in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt64($0)) }
        }.hex
    }
}

/// Finds one page of entries along an index whose order is the page's, so that no page sorts or counts what it does not
/// show.
///
/// A filter of several parts goes along the index of the part that leaves least, and looks at the other parts entry by
/// entry. It looks at so many and no more: then the page is short, and says where the next one goes on.
struct PageQuery {
    var filter: AuditFilter
    var place: PagePlace?
    var limit: Int

    struct Found {
        var position: Int64
        var leaf: AuditLeaf

        var place: PagePlace { PagePlace(time: leaf.time, position: position) }
    }

    struct Result {
        /// The newest entries that match.
        var found: [Found] = []
        /// The last entry that was looked at, when there may be more that match beyond it; nil when `found` is full or
        /// the log has ended.
        var floor: PagePlace?
    }

    /// A stretch of one index: the conditions that it serves, and whether entries on it may yet not match.
    private struct Strand {
        var conditions: [(text: (String) -> String, argument: (any SQLBindable)?)] = []
        var mustLook: Bool
        var bound: Int
    }

    /// The newest entries that match, in a tenant's transaction.
    func run(in transaction: Transaction) throws -> Result {
        let strands = try strands(in: transaction)
        var result = Result()
        for strand in strands {
            let part = try run(strand, in: transaction)
            result.found += part.found
            result.floor = [result.floor, part.floor].compactMap(\.self).max()
        }
        // Below the highest floor some strand has not been looked at.
        if let floor = result.floor { result.found.removeAll { $0.place < floor } }
        if strands.count > 1 { result.found.sort { $0.place > $1.place } }
        if result.found.count >= limit {
            result.found.removeLast(result.found.count - limit)
            result.floor = nil
        }
        return result
    }

    private func strands(in transaction: Transaction) throws -> [Strand] {
        let bound = Limits.searchedEntries
        func strand(_ parts: Int, _ conditions: (text: (String) -> String, argument: (any SQLBindable)?)...) -> Strand {
            Strand(conditions: conditions, mustLook: wantedParts > parts, bound: bound)
        }
        if let credential = filter.credential { return [strand(1, ({ "actor_credential = \($0)" }, credential))] }
        if let kind = filter.objectKind, let id = filter.objectID {
            return [strand(1, ({ "object_kind = \($0)" }, kind), ({ "object_id = \($0)" }, id))]
        }
        if let actor = filter.actor { return [strand(1, ({ "actor_id = \($0)" }, actor))] }
        if let outcome = filter.outcome, outcome != .success {
            // Spelt out rather than bound, and twice, so that both engines see that the partial index holds them all.
            let text = "outcome = '\(outcome.rawValue)' AND outcome <> 'success'"
            return [strand(1, ({ _ in text }, nil))]
        }
        guard let prefix = filter.codePrefix, !prefix.isEmpty else { return [strand(0)] }
        // There are few codes, and each has its own stretch of the index: a page of each, merged, is the page of all.
        let codes = try codes(beginningWith: prefix, in: transaction)
        return codes.map { code in
            var part = strand(1, ({ "code = \($0)" }, code))
            part.bound = max(bound / codes.count, Limits.searchedAtOnce)
            return part
        }
    }

    /// How many parts of the filter, times aside, an entry must satisfy.
    private var wantedParts: Int {
        [
            filter.codePrefix?.isEmpty == false, filter.actor != nil, filter.credential != nil,
            filter.objectKind != nil, filter.outcome != nil,
        ].count { $0 }
    }

    private func admits(_ leaf: AuditLeaf) -> Bool {
        func fits(_ wanted: String?, _ value: String?) -> Bool { wanted.map { $0 == value } ?? true }
        return (filter.codePrefix.map { leaf.code.utf8.starts(with: $0.utf8) } ?? true)
            && fits(filter.actor, leaf.actorID) && fits(filter.credential, leaf.actorCredential)
            && fits(filter.objectKind, leaf.object.kind)
            && (filter.objectKind == nil || fits(filter.objectID, leaf.object.id))
            && (filter.outcome.map { $0 == leaf.outcome } ?? true)
    }

    private func codes(beginningWith prefix: String, in transaction: Transaction) throws -> [String] {
        var codes: [String] = []
        var next = try transaction.row(
            "SELECT min(code) FROM audit_entry WHERE tenant = $1 AND code >= $2", prefix)?.textIfAny(0)
        while let code = next, code.utf8.starts(with: prefix.utf8) {
            codes.append(code)
            next = try transaction.row(
                "SELECT min(code) FROM audit_entry WHERE tenant = $1 AND code > $2", code)?.textIfAny(0)
        }
        return codes
    }

    private func run(_ strand: Strand, in transaction: Transaction) throws -> Result {
        var result = Result()
        var place = place
        var looked = 0
        while true {
            let wanted = strand.mustLook ? min(Limits.searchedAtOnce, strand.bound - looked) : limit
            let page = try entries(strand, after: place, limit: wanted, in: transaction)
            for entry in page where !strand.mustLook || admits(entry.leaf) {
                result.found.append(entry)
                if result.found.count == limit { return result }
            }
            looked += page.count
            guard page.count == wanted, let last = page.last else { return result }
            place = last.place
            if looked >= strand.bound {
                result.floor = last.place
                return result
            }
        }
    }

    private func entries(
        _ strand: Strand, after place: PagePlace?, limit: Int, in transaction: Transaction
    ) throws -> [Found] {
        guard let tenant = transaction.tenant else { return [] }
        var conditions = ["tenant = $1"]
        var arguments: [any SQLBindable] = []
        func add(_ condition: (String) -> String, _ argument: (any SQLBindable)?) {
            if let argument { arguments.append(argument) }
            conditions.append(condition("$\(arguments.count + 1)"))
        }
        for (text, argument) in strand.conditions { add(text, argument) }
        if let from = filter.from { add({ "time >= \($0)" }, from) }
        if let to = filter.to { add({ "time < \($0)" }, to) }
        if let place {
            arguments += [place.time, place.position]
            conditions.append("(time, position) < ($\(arguments.count), $\(arguments.count + 1))")
        }
        arguments.append(limit)
        return try transaction.rows(
            """
            SELECT position, \(AuditLeaf.columnList) FROM audit_entry WHERE \(conditions.joined(separator: " AND "))
            ORDER BY time DESC, position DESC LIMIT $\(arguments.count + 1)
            """, arguments: arguments
        ).map { Found(position: try $0.integer(0), leaf: try AuditLeaf($0, from: 1, tenant: tenant)) }
    }
}
