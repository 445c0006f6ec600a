public import Base
public import Storage

/// What an archive says of itself, in its first record.
public struct BackupManifest: Sendable, Hashable {
    /// The archive's identifier, which its key bundle repeats.
    public let id: [UInt8]
    /// When it was begun: everything acknowledged before is in it.
    public let created: Timestamp
    /// The deployment's name in certificates.
    public let deployment: String
    /// The version of the program that made it.
    public let program: String
    /// The engine that the data comes from.
    public let engine: DatabaseKind

    /// The name that its files were given.
    public var name: String { BackupPair.name(id: id, created: created) }

    init(id: [UInt8], created: Timestamp, deployment: String, program: String, engine: DatabaseKind) {
        self.id = id
        self.created = created
        self.deployment = deployment
        self.program = program
        self.engine = engine
    }

    var bytes: [UInt8] {
        let members: [String: JSONValue] = [
            "id": .string(id.hex), "created": .string(created.rfc3339), "deployment": .string(deployment),
            "program": .string(program), "engine": .string(engine.rawValue),
        ]
        return Array(JSONValue.object(members).canonical.utf8)
    }

    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: Limits.manifestBytes, depth: 4)),
            let id = value["id"]?.string.flatMap({ [UInt8](hex: $0) }),
            let created = value["created"]?.string.flatMap({ Timestamp(rfc3339: $0) }),
            let deployment = value["deployment"]?.string, let program = value["program"]?.string,
            let engine = value["engine"]?.string.flatMap({ DatabaseKind(rawValue: $0) })
        else { return nil }
        self.init(id: id, created: created, deployment: deployment, program: program, engine: engine)
    }
}
