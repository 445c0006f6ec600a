/// The steps in which a backup copies what changes under it, in their order.
enum BackupStep: String, CaseIterable, Sendable {
    /// The audit log's checkpoint file is copied.
    case checkpoints
    /// The telemetry log's segments are opened.
    case openingLog
    /// The partitions of stored telemetry are copied.
    case partitions
    /// The main database is copied, between two readings of the key files.
    case database
    /// The blobs are copied: those that the copy of the database names are there, and for a day longer.
    case blobs
    /// The opened segments, those begun since, and the registry are copied.
    case readingLog
}
