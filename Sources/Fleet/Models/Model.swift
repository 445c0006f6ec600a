public import Base

/// A device type: one version of its document under a name that is unique in the tenant.
///
/// The document's members read as the model's own: `model.undeclared`.
@dynamicMemberLookup
public struct Model: Hashable, Sendable {
    /// The model's identifier.
    public let id: ModelID
    /// The model's name, unique in its tenant.
    public let name: Name
    /// Counts the document's changes from 1.
    public let version: Int
    /// What people wrote.
    public let document: ModelDocument
    /// When the model was created.
    public let created: Timestamp
    /// When this version was written.
    public let changed: Timestamp
    private let places: [String: Int]

    /// A version of a model.
    public init(
        id: ModelID, name: Name, version: Int, document: ModelDocument, created: Timestamp, changed: Timestamp
    ) {
        self.id = id
        self.name = name
        self.version = version
        self.document = document
        self.created = created
        self.changed = changed
        places = Dictionary(
            document.series.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A member of the document.
    public subscript<Value>(dynamicMember path: KeyPath<ModelDocument, Value>) -> Value { document[keyPath: path] }

    /// The declaration of the series with this name, found without a scan; nil when it is undeclared.
    public func declaration(of series: String) -> SeriesDeclaration? {
        places[series].map { document.series[$0] }
    }

    /// The model as JSON, its document's members beside its own.
    public var json: JSONValue {
        guard case .object(var members) = document.json else { return .null }
        members["id"] = .string(id.text)
        members["name"] = .string(name.text)
        members["version"] = .integer(Int64(version))
        members["created"] = .string(created.rfc3339)
        members["changed"] = .string(changed.rfc3339)
        return .object(members)
    }
}
