public import Base
import Storage
import Trust

extension AuditLog {
    /// One page of a tenant's log, newest first; reading it is itself recorded, before anything is read.
    ///
    /// `cursor` is the previous page's `next`. The caller has checked that `reader` may read the log.
    public func page(
        tenant: TenantID, filter: AuditFilter = AuditFilter(), after cursor: String? = nil, limit: Int = 100,
        reader: Actor
    ) async throws -> AuditPage {
        let place = try cursor.map { cursor in
            guard let place = PagePlace(cursor) else {
                throw Refusal(
                    .invalid, "audit.cursor", "This cursor is not one that the server gave. Begin again without it.")
            }
            return place
        }
        let limit = min(max(limit, 1), Limits.pageEntries)
        try await database.tenant(tenant).write { transaction in
            try self.record(
                AuditEntry(
                    .auditRead, tenant: tenant, actor: reader, object: AuditObject(kind: "audit", id: tenant.text),
                    details: .object(filter.members)), in: transaction)
        }
        // So that whoever has just done something finds it.
        try await sequence(search: false)
        let keyRing = keyRing
        return try await database.tenant(tenant).read { transaction in
            var result = try PageQuery(filter: filter, place: place, limit: limit + 1).run(in: transaction)
            let hasMore = result.found.count > limit
            if hasMore { result.found.removeLast(result.found.count - limit) }
            let entries = try result.found.map {
                try RecordedEntry($0.leaf, at: $0.position, keyRing: keyRing, in: transaction)
            }
            let next = hasMore ? result.found.last?.place : result.floor
            return AuditPage(entries: entries, next: next?.text, searchedTo: hasMore ? nil : result.floor?.time)
        }
    }

    /// Hands a tenant's entries to `take`, the newest first, some hundred at a time; that somebody takes them out is
    /// itself recorded. The caller has checked that `reader` may export the log.
    public func list(
        tenant: TenantID, filter: AuditFilter, reader: Actor, to take: ([RecordedEntry]) async throws -> Void
    ) async throws {
        try await database.tenant(tenant).write { transaction in
            try self.record(
                AuditEntry(
                    .auditExported, tenant: tenant, actor: reader, object: AuditObject(kind: "audit", id: tenant.text),
                    details: .object(filter.members.merging(["form": "list"]) { $1 })), in: transaction)
        }
        try await sequence(search: false)
        var place: PagePlace?
        repeat {
            let (keyRing, from) = (keyRing, place)
            let (entries, next) = try await database.tenant(tenant).read { transaction in
                let result = try PageQuery(filter: filter, place: from, limit: Limits.listedEntries).run(
                    in: transaction)
                let entries = try result.found.map {
                    try RecordedEntry($0.leaf, at: $0.position, keyRing: keyRing, in: transaction)
                }
                let isFull = result.found.count == Limits.listedEntries
                return (entries, isFull ? result.found.last?.place : result.floor)
            }
            if !entries.isEmpty { try await take(entries) }
            place = next
        } while place != nil
    }
}

extension RecordedEntry {
    init(_ leaf: AuditLeaf, at index: Int64, keyRing: KeyRing, in transaction: Transaction) throws {
        var personal: PersonalPart?
        if let sealed = leaf.sealed {
            do {
                let place = AuditSchema.personalColumn.place(leaf.tenant, row: leaf.id)
                personal = PersonalPart(parsing: try keyRing.open(sealed, at: place, in: transaction))
            } catch is Refusal {
                personal = nil
            }
        } else {
            personal = PersonalPart(name: "", address: nil, details: [:])
        }
        let name = personal.map { $0.name.isEmpty && leaf.actorKind == .system ? leaf.actorID : $0.name }
        self.init(
            index: index, id: leaf.id, code: leaf.code, time: leaf.time, domain: leaf.domain,
            actor: Actor(
                kind: leaf.actorKind, id: leaf.actorID, name: name ?? "", credential: leaf.actorCredential,
                address: personal?.address, home: leaf.actorHome),
            object: leaf.object, outcome: leaf.outcome, details: personal?.details ?? .null,
            isShredded: personal == nil)
    }
}

extension AuditFilter {
    /// The filter as details of the entry that records the reading.
    var members: [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members["code"] = codePrefix.map(JSONValue.string)
        members["actor"] = actor.map(JSONValue.string)
        members["credential"] = credential.map(JSONValue.string)
        members["objectKind"] = objectKind.map(JSONValue.string)
        members["object"] = objectID.map(JSONValue.string)
        members["outcome"] = outcome.map { .string($0.rawValue) }
        members["from"] = from.map { .string($0.rfc3339) }
        members["to"] = to.map { .string($0.rfc3339) }
        return members
    }
}
