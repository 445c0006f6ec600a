import Base
import FoundationEssentials

/// An entry in the form that is hashed into the tree: the plain part, and the personal part only as ciphertext.
///
/// `docs/formats/audit.md` describes the bytes. The hash covers the ciphertext, so destroying a tenant's key takes the
/// personal part away and leaves every proof valid.
struct AuditLeaf: Hashable, Sendable {
    /// The version of the form that this program writes.
    static let version: Int64 = 1

    var id: AuditEntryID
    var tenant: TenantID
    var domain: DomainID?
    var time: Timestamp
    var code: String
    var outcome: AuditEntry.Outcome
    var actorKind: Actor.Kind
    var actorID: String
    var actorCredential: String?
    var actorHome: TenantID?
    var object: AuditObject
    /// The encrypted personal part, or nil when there was none.
    var sealed: [UInt8]?

    /// The plain part of an entry.
    init(_ entry: AuditEntry, id: AuditEntryID, time: Timestamp) {
        self.id = id
        tenant = entry.tenant
        domain = entry.domain
        self.time = time
        code = entry.code.text
        outcome = entry.outcome
        actorKind = entry.actor.kind
        actorID = entry.actor.id
        actorCredential = entry.actor.credential
        actorHome = entry.actor.home
        object = entry.object
    }

    /// The canonical bytes: the same leaf always gives the same ones.
    var bytes: [UInt8] {
        var actor: [String: JSONValue] = ["kind": .string(actorKind.rawValue), "id": .string(actorID)]
        actor["credential"] = actorCredential.map(JSONValue.string)
        actor["home"] = actorHome.map { .string($0.text) }
        var members: [String: JSONValue] = [
            "version": .integer(Self.version),
            "id": .string(id.text),
            "tenant": .string(tenant.text),
            "time": .string(time.rfc3339),
            "code": .string(code),
            "outcome": .string(outcome.rawValue),
            "actor": .object(actor),
            "object": .object(["kind": .string(object.kind), "id": .string(object.id)]),
        ]
        members["domain"] = domain.map { .string($0.text) }
        members["sealed"] = sealed.map { .string(Data($0).base64EncodedString()) }
        return Array(JSONValue.object(members).canonical.utf8)
    }

    /// The leaf that `bytes` spell, or nil when they are not the canonical form of one.
    init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: Limits.leafBytes, depth: 3)),
            value["version"]?.integer == Self.version,
            let id = value["id"]?.string.flatMap({ AuditEntryID(text: $0) }),
            let tenant = value["tenant"]?.string.flatMap({ TenantID(text: $0) }),
            let time = value["time"]?.string.flatMap({ Timestamp(rfc3339: $0) }),
            let code = value["code"]?.string,
            let outcome = value["outcome"]?.string.flatMap(AuditEntry.Outcome.init(rawValue:)),
            let actor = value["actor"], let actorKind = actor["kind"]?.string.flatMap(Actor.Kind.init(rawValue:)),
            let actorID = actor["id"]?.string,
            let objectKind = value["object"]?["kind"]?.string, let objectID = value["object"]?["id"]?.string
        else { return nil }
        self.id = id
        self.tenant = tenant
        self.time = time
        self.code = code
        self.outcome = outcome
        self.actorKind = actorKind
        self.actorID = actorID
        actorCredential = actor["credential"]?.string
        actorHome = actor["home"]?.string.flatMap { TenantID(text: $0) }
        object = AuditObject(kind: objectKind, id: objectID)
        domain = value["domain"]?.string.flatMap { DomainID(text: $0) }
        sealed = value["sealed"]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
        // Whatever the lines above passed over (an unknown member, another spelling) shows up here.
        guard self.bytes == bytes else { return nil }
    }
}

/// The personal part of an entry: what is encrypted, and gone when the tenant's key is destroyed.
struct PersonalPart: Hashable, Sendable {
    var name: String
    var address: String?
    var details: JSONValue

    init(name: String, address: String?, details: JSONValue) {
        self.name = name
        self.address = address
        self.details = details
    }

    init(_ entry: AuditEntry) {
        // A part of the server is no person: its name is its plain identifier.
        let name = entry.actor.kind == .system && entry.actor.name == entry.actor.id ? "" : entry.actor.name
        self.init(name: name, address: entry.actor.address, details: entry.details)
    }

    var isEmpty: Bool { name.isEmpty && address == nil && (details == [:] || details == .null) }

    var bytes: [UInt8] {
        var members: [String: JSONValue] = ["name": .string(name), "details": details]
        members["address"] = address.map(JSONValue.string)
        return Array(JSONValue.object(members).canonical.utf8)
    }

    init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: Limits.leafBytes)),
            let name = value["name"]?.string, let details = value["details"]
        else { return nil }
        self.init(name: name, address: value["address"]?.string, details: details)
    }
}
