import Base
import Storage

/// The last entry of a page: where the next one goes on.
struct PagePlace: Hashable, Sendable {
    var time: Timestamp
    var position: Int64

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

/// Finds one page of entries along an index: each filter has one whose order is the page's, so that no page sorts or
/// counts what it does not show.
struct PageQuery {
    var filter: AuditFilter
    var place: PagePlace?
    var limit: Int

    struct Found {
        var position: Int64
        var leaf: AuditLeaf
    }

    /// The newest entries that match, in a tenant's transaction.
    func run(in transaction: Transaction) throws -> [Found] {
        guard let prefix = filter.codePrefix, !prefix.isEmpty else { return try entries(code: nil, in: transaction) }
        // There are few codes, and each has its own stretch of the index: a page of each, merged, is the page of all.
        let found = try codes(beginningWith: prefix, in: transaction).flatMap { try entries(code: $0, in: transaction) }
        return Array(
            found.sorted { ($0.leaf.time, $0.position) > ($1.leaf.time, $1.position) }.prefix(limit))
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

    private func entries(code: String?, in transaction: Transaction) throws -> [Found] {
        guard let tenant = transaction.tenant else { return [] }
        var conditions = ["tenant = $1"]
        var arguments: [any SQLBindable] = []
        func add(_ condition: (String) -> String, _ argument: any SQLBindable) {
            arguments.append(argument)
            conditions.append(condition("$\(arguments.count + 1)"))
        }
        if let code { add({ "code = \($0)" }, code) }
        if let actor = filter.actor { add({ "actor_id = \($0)" }, actor) }
        if let credential = filter.credential { add({ "actor_credential = \($0)" }, credential) }
        if let kind = filter.objectKind {
            add({ "object_kind = \($0)" }, kind)
            if let id = filter.objectID { add({ "object_id = \($0)" }, id) }
        }
        if let outcome = filter.outcome {
            // Spelt out rather than bound, and twice, so that both engines see that the partial index holds them all.
            conditions.append("outcome = '\(outcome.rawValue)'")
            if outcome != .success { conditions.append("outcome <> 'success'") }
        }
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
