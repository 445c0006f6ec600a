/// What a read of a whole archive has found.
public struct BackupContents: Sendable, Hashable {
    /// What the archive says of itself.
    public let manifest: BackupManifest
    /// The partitions of stored telemetry.
    public let partitions: Int
    /// Bytes of the telemetry log.
    public let logBytes: UInt64
    /// Large objects, whole ones alone.
    public let blobs: Int
    /// Large objects that were damaged already when the backup was made, and are not put back.
    public let damagedBlobs: Int
    /// Bytes of everything before compression.
    public let bytes: UInt64
}
