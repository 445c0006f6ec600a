/// Every bound of this target, on one page.
enum Limits {
    /// Bytes of an entry's details as JSON; a longer one is replaced by a note of its size.
    static let detailBytes = 16 * 1024
    /// Bytes of one leaf.
    static let leafBytes = 64 * 1024
    /// Entries that one transaction of the sequencer moves.
    static let batchEntries = 5_000
    /// Tenants that one transaction of the sequencer serves.
    static let batchTenants = 200
    /// Entries in one page for a reader.
    static let pageEntries = 1_000
    /// Entries that one page is looked for among, along the index that serves its filter best.
    static let searchedEntries = 10_000
    /// Of these, entries that are read at once.
    static let searchedAtOnce = 500
    /// Entries that a list is written out by at once.
    static let listedEntries = 500
    /// Verifications of logs that wait for their turn.
    static let waitingVerifications = 32
    /// Results of verifications that are kept in memory.
    static let keptVerifications = 200
    /// Bytes of a signed note from outside.
    static let noteBytes = 4 * 1024
    /// Signatures on a note from outside.
    static let noteSignatures = 16
    /// Sources of refusals that are told apart between two summaries; the rest is counted together by code.
    static let refusalSources = 128
    /// Denials of authenticated callers that are told apart between two writes; the rest is counted by tenant.
    static let denials = 512
    /// Bytes of the checkpoint file before it is replaced by one with only the newest checkpoint of each tenant.
    static let checkpointFileBytes = 16 * 1024 * 1024
    /// Bytes of one line of a bundle or of the checkpoint file.
    static let lineBytes = 256 * 1024
    /// Damages that one verification lists before it only counts.
    static let listedDamages = 20
    /// Rows that retention deletes in one transaction.
    static let trimmedRows = 5_000
}
