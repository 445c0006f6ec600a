import Base
import Storage

/// A leaf as columns: the row holds nothing beside them, so there is no second copy that could say something else.
extension AuditLeaf {
    static let columns = [
        "time", "id", "code", "outcome", "actor_kind", "actor_id", "actor_credential", "actor_home", "object_kind",
        "object_id", "domain", "sealed",
    ]

    static let columnList = columns.joined(separator: ", ")

    var values: [SQLValue] {
        [
            time.sqlValue, id.sqlValue, .text(code), .text(outcome.rawValue), .text(actorKind.rawValue), .text(actorID),
            actorCredential.sqlValue, actorHome.sqlValue, .text(object.kind), .text(object.id), domain.sqlValue,
            sealed.sqlValue,
        ]
    }

    /// The leaf in a row whose columns begin at `first`; throws when a column holds what no leaf can.
    init(_ row: Row, from first: Int, tenant: TenantID) throws {
        self.tenant = tenant
        time = try row.timestamp(first)
        id = try row.identifier(first + 1)
        code = try row.text(first + 2)
        guard let outcome = AuditEntry.Outcome(rawValue: try row.text(first + 3)),
            let kind = Actor.Kind(rawValue: try row.text(first + 4))
        else { throw StorageError(.corrupt, "an audit entry has an unknown outcome or kind of actor") }
        self.outcome = outcome
        actorKind = kind
        actorID = try row.text(first + 5)
        actorCredential = try row.textIfAny(first + 6)
        actorHome = try row.identifierIfAny(first + 7)
        object = AuditObject(kind: try row.text(first + 8), id: try row.text(first + 9))
        domain = try row.identifierIfAny(first + 10)
        sealed = try row.blobIfAny(first + 11)
    }
}
