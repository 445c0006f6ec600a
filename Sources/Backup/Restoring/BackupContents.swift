/// What a read of a whole archive has found.
public struct BackupContents: Sendable, Hashable {
    /// What the archive says of itself.
    public let manifest: BackupManifest
    /// The partitions of stored telemetry.
    public let partitions: Int
    /// Bytes of the telemetry log.
    public let logBytes: UInt64
    /// Bytes of everything before compression.
    public let bytes: UInt64
}
