import ArgumentParser
import Audit
import Backup
import Base
import Foundation

/// `tidegate verify backup`
struct VerifyBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Checks a backup without a server: that it opens and is whole, and everything in it.",
        discussion: """
            First the whole archive is opened: every seal, every length, the manifest, that nothing is missing. Then what \
            it holds is laid out in a temporary directory, checked and removed: each audit log against its checkpoints, \
            every chunk of telemetry, what only the telemetry log holds. --archive stops after the first half and writes \
            nothing.

            Examples:
              tidegate verify backup NAME.backup --keys NAME.keys --recovery-key recovery.key
              tidegate verify backup /mnt/backups --recovery-key recovery.key --archive

            Exit codes: 0 sound, 1 damaged (the first bad thing is named), 2 can not be read, or not with these keys.
            """)

    @Argument(help: "The archive (NAME.backup), or a directory whose newest is taken.") var path: String
    @OptionGroup var source: BackupSource
    @Flag(help: "Open the archive only, and check nothing that lies in it.") var archive = false
    @Option(help: "Where the temporary directory goes; it needs room for all data, unencrypted meanwhile.")
    var scratch: String?
    @Flag(help: "One JSON object for programs.") var json = false

    /// Refusals that say that the files are not what was written.
    private static let damages: Set<String> = ["backup.damaged", "backup.keysDamaged"]

    func run() async throws {
        let pair: (archive: String, keys: String)
        do {
            pair = try BackupPair.find(path, keys: source.keys)
            let key = try source.key(orAt: nil)
            if archive {
                let contents = try Restoration(
                    archive: pair.archive, keys: pair.keys, recoveryKey: key, schema: ServerParts.schema
                ).check()
                return show([:], contents, "opens and is whole, \(contents.bytes) bytes")
            }
            let report = try await Drill(
                archive: pair.archive, keys: pair.keys, recoveryKey: key, schema: ServerParts.schema
            ).run(scratch: scratch ?? FileManager.default.temporaryDirectory.path)
            guard report.isSound else { throw Damage(report.problems, report.problemCount) }
            let entries = report.audit.reduce(0) { $0 + $1.entries }
            show(
                report.json, report.contents,
                "\(report.audit.count) audit logs with \(entries) entries, \(report.chunks) chunks with \(report.points) points"
            )
        } catch let damage as Damage {
            fail(damage.first, count: damage.count, code: 1)
            throw ExitCode(1)
        } catch {
            let isDamage = (error as? Refusal).map { Self.damages.contains($0.code) } ?? false
            fail(Startup.sentence(for: error), count: 1, code: isDamage ? 1 : 2)
            throw ExitCode(isDamage ? 1 : 2)
        }
    }

    /// What is wrong inside an archive that opens.
    private struct Damage: Error {
        var first: String
        var count: Int

        init(_ problems: [String], _ count: Int) {
            first = problems.first ?? "something in it is damaged"
            self.count = count
        }
    }

    private func show(_ facts: JSONValue, _ contents: BackupContents, _ what: String) {
        guard json else {
            return Startup.say(
                "sound: \(contents.manifest.name), everything up to \(contents.manifest.created.rfc3339): \(what)")
        }
        var members: [String: JSONValue] = [
            "sound": .bool(true), "name": .string(contents.manifest.name),
            "created": .string(contents.manifest.created.rfc3339), "bytes": .integer(Int64(clamping: contents.bytes)),
        ]
        if case .object(let more) = facts { members.merge(more) { $1 } }
        Startup.say(JSONValue.object(members).canonical)
    }

    private func fail(_ reason: String, count: Int, code: Int) {
        if json {
            let verdict: JSONValue = [
                "sound": .bool(false), "problem": .string(reason), "problems": .integer(Int64(count)),
            ]
            Startup.say(verdict.canonical)
        }
        let more = count > 1 ? " (and \(count - 1) more)" : ""
        StandardStream.error.write("tidegate: \(code == 1 ? "NOT SOUND: " : "")\(reason)\(more)\n")
    }
}
