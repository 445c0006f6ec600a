import Access
import ArgumentParser
import Base
import Foundation
import Storage
import Telemetry

/// `tidegate verify telemetry`
struct VerifyTelemetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "telemetry",
        abstract: "Reads every segment of the log and every chunk of a data directory, live or not, and checks them.",
        discussion: """
            Checks checksums, framing and order, that each chunk lies in the row of its device and hour, each column \
            against its summary, and that no reading that the log counts as stored is missing. It finds decay and \
            mistakes; it proves nothing against an attacker. It only reads: a running server does not notice.

            Example:
              tidegate verify telemetry --data /var/lib/tidegate --tenant acme

            Exit codes: 0 intact, 1 damaged (the first bad places are named), 2 can not be read.
            """)

    @OptionGroup var options: ServeOptions
    @Option(help: "Only this tenant's readings: its name in addresses, or its identifier.") var tenant: String?
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        let report: TelemetryReport
        do {
            report = try await check()
        } catch {
            StandardStream.error.write("tidegate: \(Startup.sentence(for: error))\n")
            throw ExitCode(2)
        }
        print(json ? Self.json(report).canonical : Self.text(report))
        if !report.isIntact { throw ExitCode(1) }
    }

    private func check() async throws -> TelemetryReport {
        let configuration = try options.configuration()
        if configuration.database == "sqlite", !FileManager.default.fileExists(atPath: "\(options.data)/tidegate.db") {
            throw ConfigurationError("\(options.data) holds no tidegate.db; name the data directory with --data")
        }
        let database = try await ServerParts.openDatabase(configuration, directory: options.data, isReadOnly: true)
        let report = try await TelemetryVerification.database(
            database, directory: "\(options.data)/telemetry", tenant: try await only(in: database))
        await database.close()
        return report
    }

    private func only(in database: Database) async throws -> TenantID? {
        guard let tenant else { return nil }
        if let slug = TenantSlug(tenant), let found = try await Tenant.stored(slug, in: database) { return found.id }
        guard let id = TenantID(text: tenant) else {
            throw ConfigurationError("there is no tenant \(tenant)")
        }
        return id
    }

    private static func text(_ report: TelemetryReport) -> String {
        var lines = [
            "\(report.isIntact ? "ok     " : "DAMAGED") \(report.visiblePoints) points that a query finds, \(report.repeatedValues) of them held more than once",
            "        log: \(report.segments) segments, \(report.groups) groups, \(report.loggedValues) values, \(report.openValues) of them not yet in chunks",
            "        chunks: \(report.chunks) of \(report.partitions) days, \(report.storedPoints) points; \(report.summaries) device days of which summaries remain",
        ]
        for damage in report.damages { lines.append("  \(damage)") }
        let more = report.damageCount - report.damages.count
        if more > 0 { lines.append("  and \(more) more") }
        return (lines + report.notes.map { "  note: \($0)" }).joined(separator: "\n")
    }

    private static func json(_ report: TelemetryReport) -> JSONValue {
        func integer(_ value: Int) -> JSONValue { .integer(Int64(value)) }
        return [
            "intact": .bool(report.isIntact), "segments": integer(report.segments), "groups": integer(report.groups),
            "loggedValues": integer(report.loggedValues), "openValues": integer(report.openValues),
            "partitions": integer(report.partitions), "chunks": integer(report.chunks),
            "storedPoints": integer(report.storedPoints), "visiblePoints": integer(report.visiblePoints),
            "repeatedValues": integer(report.repeatedValues), "summaries": integer(report.summaries),
            "damageCount": integer(report.damageCount), "notes": .array(report.notes.map { .string($0) }),
            "damages": .array(
                report.damages.map { damage in
                    [
                        "kind": .string(damage.kind.rawValue), "file": .string(damage.file),
                        "offset": damage.offset.map { .integer($0) } ?? .null,
                        "part": damage.part.map { .integer($0) } ?? .null,
                        "tenant": damage.tenant.map { .string($0.text) } ?? .null,
                        "device": damage.device.map { .string($0.text) } ?? .null,
                        "hour": damage.hour.map { .string($0.rfc3339) } ?? .null, "message": .string(damage.message),
                    ]
                }),
        ]
    }
}
