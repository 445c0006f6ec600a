public import Base

/// Marks identifiers of edits.
public enum DesiredEditKind {}

/// A change of many devices' own layers, on its way through them.
public struct DesiredEdit: Sendable, Hashable {
    /// Identifies an edit.
    public typealias ID = Identifier<DesiredEditKind>

    /// One device that it was refused for.
    public struct Refused: Sendable, Hashable {
        /// Its name.
        public let device: String
        /// Why.
        public let message: String
    }

    /// The identifier.
    public let id: ID
    /// Who ordered it.
    public let creator: PrincipalID
    /// What they are called.
    public let creatorName: String
    /// When.
    public let created: Timestamp
    /// When it was through; nil while it is not.
    public var finished: Timestamp?
    /// How many devices it is for.
    public let total: Int
    /// How many have it.
    public var done: Int
    /// For how many it was refused after all, because they changed meanwhile.
    public var refused: Int
    /// Some of these.
    public var examples: [Refused]

    /// The edit as JSON.
    public var json: JSONValue {
        [
            "id": .string(id.text), "creator": .string(creatorName), "created": .string(created.rfc3339),
            "finished": finished.map { .string($0.rfc3339) } ?? .null, "total": .integer(Int64(total)),
            "done": .integer(Int64(done)), "refused": .integer(Int64(refused)), "examples": Self.json(examples),
        ]
    }

    static func json(_ refused: [Refused]) -> JSONValue {
        .array(refused.map { ["device": .string($0.device), "message": .string($0.message)] })
    }
}
