import ArgumentParser
import Audit
import Base
import Foundation
import Storage

/// `tidegate verify …`
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks what is stored, offline.",
        subcommands: [VerifyAuditCommand.self, VerifyTelemetryCommand.self, VerifyBackupCommand.self])
}

/// `tidegate verify audit`
struct VerifyAuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Checks the audit logs of a data directory, live or not, or of an exported bundle.",
        discussion: """
            Tamper-evident, not tamper-proof: compare a checkpoint that left the machine earlier (audit/checkpoints.log, \
            or a bundle) to find a log that was put back as a whole.

            Examples:
              tidegate verify audit --data /var/lib/tidegate
              tidegate verify audit --data /var/lib/tidegate --known /mnt/old/audit
              tidegate verify audit acme-audit.bundle --known earlier-checkpoint.txt

            Exit codes: 0 intact, 1 damaged (the first bad entry is named), 2 can not be read.
            """)

    @Argument(help: "An exported bundle; without it the data directory is checked.") var bundle: String?
    @OptionGroup var options: ServeOptions
    @Option(
        help:
            "Checkpoints from another source: a file with one, a checkpoints.log, or its directory; may be given again."
    )
    var known: [String] = []
    @Flag(help: "One JSON object for each log.") var json = false

    func run() async throws {
        let reports: [AuditReport]
        do {
            reports = try await check()
        } catch {
            StandardStream.error.write("tidegate: \(Startup.sentence(for: error))\n")
            throw ExitCode(2)
        }
        for report in reports { print(json ? Self.json(report).canonical : Self.text(report)) }
        if reports.contains(where: { !$0.isIntact }) { throw ExitCode(1) }
    }

    private func check() async throws -> [AuditReport] {
        var known = KnownCheckpoints()
        for path in self.known { known.formUnion(try KnownCheckpoints(at: path)) }
        if let bundle {
            return [
                self.known.isEmpty
                    ? try AuditVerification.bundle(at: bundle) : try AuditVerification.bundle(at: bundle, known: known)
            ]
        }
        let configuration = try options.configuration()
        if configuration.database == "sqlite", !FileManager.default.fileExists(atPath: "\(options.data)/tidegate.db") {
            throw ConfigurationError("\(options.data) holds no tidegate.db; name the data directory with --data")
        }
        let database = try await ServerParts.openDatabase(configuration, directory: options.data)
        let reports = try await AuditVerification.database(
            database, directory: "\(options.data)/audit", known: known)
        await database.close()
        return reports
    }

    private static func text(_ report: AuditReport) -> String {
        var lines = [
            "\(report.isIntact ? "ok     " : "DAMAGED") log \(report.tenant): \(report.entries) entries, signed up to \(report.signedSize) of \(report.size), \(report.checkpoints) checkpoints, \(report.pending) pending"
        ]
        for restored in report.restorations {
            let (what, known) = (restored.restoration, restored.known)
            lines.append(
                "  restored from \(what.backup) at \(what.time.rfc3339): rolled back to \(what.kept) entries, declared and signed"
                    + (known.map { "; the history that was given up had \($0) or more" } ?? ""))
        }
        for damage in report.damages {
            let place = damage.index.map { "entry \($0)" } ?? "log"
            let what = [damage.code, damage.time?.rfc3339].compactMap(\.self).joined(separator: ", ")
            lines.append("  \(place)\(what.isEmpty ? "" : " (\(what))"): \(damage.kind.rawValue): \(damage.message)")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ report: AuditReport) -> JSONValue {
        [
            "tenant": .string(report.tenant.text), "intact": .bool(report.isIntact),
            "entries": .integer(report.entries),
            "size": .integer(report.size), "signed": .integer(report.signedSize),
            "pending": .integer(Int64(report.pending)),
            "restorations": .array(report.restorations.map(\.json)),
            "damages": .array(
                report.damages.map { damage in
                    [
                        "kind": .string(damage.kind.rawValue), "index": damage.index.map { .integer($0) } ?? .null,
                        "code": damage.code.map { .string($0) } ?? .null,
                        "time": damage.time.map { .string($0.rfc3339) } ?? .null, "message": .string(damage.message),
                    ]
                }),
        ]
    }
}
