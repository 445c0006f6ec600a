/// Where a server keeps what, inside its data directory.
public struct DataLayout: Sendable, Hashable {
    /// The data directory.
    public let directory: String

    /// The layout of the data directory at this path.
    public init(_ directory: String) {
        self.directory = directory
    }

    /// SQLite's main file.
    public var database: String { "\(directory)/tidegate.db" }
    /// Log segments and, on SQLite, a partition for each day.
    public var telemetry: String { "\(directory)/telemetry" }
    /// Large objects, of each tenant by their SHA-256.
    public var blobs: String { "\(directory)/blobs" }
    /// Private keys.
    public var keys: String { "\(directory)/keys" }
    /// Certificates that everybody may read.
    public var trust: String { "\(directory)/trust" }
    /// The audit log's checkpoint file.
    public var audit: String { "\(directory)/audit" }
    /// The recovery key, and files on their way into an archive.
    public var backup: String { "\(directory)/backup" }
    /// Where archives go unless another place is configured.
    public var archives: String { "\(directory)/backups" }
    /// The recovery key as made at the first backup, until the operator takes it away.
    public var recoveryKey: String { "\(backup)/recovery.key" }
    /// The public half of the recovery key, which is all that a backup needs.
    public var recoveryPublicKey: String { "\(backup)/recovery.pub" }

    /// Plain copies that live only while an archive is written.
    var staging: String { "\(backup)/staging" }
}
