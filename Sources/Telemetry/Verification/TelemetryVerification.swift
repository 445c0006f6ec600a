public import Base
public import Storage

/// Checks stored telemetry without a server: every group of the log, every chunk, every summary.
public enum TelemetryVerification {
    /// Checks what lies in `directory`, where the log and SQLite's partitions are, and in `database`, of one tenant or
    /// of all; it only reads, and a server may run meanwhile.
    ///
    /// It reads files: not on an event loop.
    public static func database(
        _ database: Database, directory: String, tenant: TenantID? = nil
    ) async throws -> TelemetryReport {
        var report = TelemetryReport()
        // The log first: what moves into a chunk meanwhile is seen twice, the other way round it would be missed.
        let log = try LogExamination(directory, tenant: tenant, report: &report)
        return try await StoredExamination(
            database, directory: directory, tenant: tenant, log: log, report: report
        ).run()
    }
}
