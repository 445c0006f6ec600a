public import Base
public import Blobs

/// Marks identifiers of artifacts.
public enum ArtifactKind {}
/// The identifier of an artifact, which is also that of its upload.
public typealias ArtifactID = Identifier<ArtifactKind>

/// A file that devices fetch: whole, checked, and never changed.
public struct Artifact: Sendable, Hashable {
    /// What is known of who made it.
    public enum Signature: Sendable, Hashable {
        /// Nothing: files of this type carry no signature that the server knows.
        case none
        /// Nothing: the tenant had no update keys when it came.
        case unverified
        /// It is signed for the update key of this name.
        case verified(by: String)

        /// The word in JSON and SQL.
        public var name: String {
            switch self {
            case .none: "none"
            case .unverified: "unverified"
            case .verified: "verified"
            }
        }

        /// The update key's name.
        public var key: String? {
            if case .verified(let key) = self { key } else { nil }
        }
    }

    /// Its identifier.
    public let id: ArtifactID
    /// Its file name, without a path.
    public let name: String
    /// What it is.
    public let type: ArtifactType
    /// Its length in bytes.
    public let size: Int64
    /// Its SHA-256.
    public let sha256: BlobDigest
    /// The SHA-1 that old update clients compare; nothing trusts it.
    public let sha1: [UInt8]
    /// The MD5 that old update clients compare; nothing trusts it.
    public let md5: [UInt8]
    /// What is known of who made it.
    public let signature: Signature
    /// When it was whole.
    public let created: Timestamp

    /// Its SHA-256 in hexadecimal digits, for who shows it.
    public var digest: String { sha256.text }
}

/// An artifact of which bytes are still to come.
public struct ArtifactUpload: Sendable, Hashable {
    /// The identifier that the artifact will have.
    public let id: ArtifactID
    /// The file name that it will have.
    public let name: String
    /// Bytes that it will have.
    public let size: Int64
    /// The SHA-256 that it must have, when its sender said so.
    public let expected: BlobDigest?
    /// Who sends it.
    public let creatorName: String
    /// When it was begun.
    public let created: Timestamp
    /// When bytes came last.
    public let touched: Timestamp
    /// The SHA-256 of all its bytes once they were found good: they may be a blob already, although it is not written
    /// down that they are an artifact.
    let found: BlobDigest?
}

/// What there is under an artifact's identifier.
public enum StoredArtifact: Sendable, Hashable {
    /// It is on its way, and so many bytes have come.
    case uploading(ArtifactUpload, received: Int64)
    /// It is whole.
    case whole(Artifact)

    /// The identifier.
    public var id: ArtifactID {
        switch self {
        case .uploading(let upload, _): upload.id
        case .whole(let artifact): artifact.id
        }
    }
}

/// What somebody says of a file before they send it.
public struct ArtifactDraft: Sendable, Hashable {
    let name: String
    let size: Int64
    let sha256: BlobDigest?

    /// A file of this name and size; refuses a name that is a path, or could be taken for one.
    public init(name: String, size: Int64, sha256: BlobDigest? = nil) throws(Refusal) {
        guard Self.isFileName(name) else {
            throw Refusal(
                .invalid, "artifact.name",
                "A file name is 1 to \(OperationLimits.fileNameBytes) bytes, no path, without control characters, and "
                    + "begins with neither a dot nor a space.",
                faults: [.init(place: "filename", message: "is no file name")])
        }
        guard (1...OperationLimits.artifactBytes).contains(size) else {
            throw Refusal(
                size < 1 ? .invalid : .tooLarge, "artifact.size",
                "An artifact has 1 to \(OperationLimits.artifactBytes) bytes.")
        }
        self.name = name
        self.size = size
        self.sha256 = sha256
    }

    /// Whether devices and people can use the text as a file name, whatever their system is.
    static func isFileName(_ text: String) -> Bool {
        guard (1...OperationLimits.fileNameBytes).contains(text.utf8.count), let first = text.unicodeScalars.first,
            first != ".", first != " "
        else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            // What separates paths and drives, and what header fields and shells take for something else.
            case "/", "\\", ":", "\"", "*", "?", "<", ">", "|": false
            default:
                switch scalar.properties.generalCategory {
                // Format characters turn the direction of writing, so that a name looks like another.
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
                default: true
                }
            }
        }
    }
}
