public import Audit

extension AuditCode {
    /// A backup was made.
    public static let backupCreated = AuditCode(
        "backup.created", "A backup was made, or failed; details carry its name and size, or the reason.")
    /// This log was put back to what a backup held.
    public static let backupRestored = AuditCode(
        "backup.restored",
        "Everything up to here was restored from a backup, which the object names; details carry its time.")

    /// Every code that this part records.
    public static let backup: [AuditCode] = [backupCreated, backupRestored]
}
