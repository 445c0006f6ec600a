import Base
import Glibc
import NIOPosix

/// Installs a release: fetches its file, then hands it to Debian's unmodified swupdate, which checks its signature.
struct Installer: Sendable {
    let settings: AgentSettings
    let client: HTTPSClient
    let identity: DeviceIdentity

    private var directory: String { settings.state + "/downloads" }

    /// Why the release is not for this device, or nil.
    static func objection(to release: JSONValue?, settings: AgentSettings, installed: [String: Int64]) -> String? {
        guard let release, let component = release["component"]?.string, let counter = release["counter"]?.integer,
            case .array(let artifacts)? = release["artifacts"], artifacts.count == 1,
            artifacts.allSatisfy({ ReleaseArtifact($0) != nil })
        else { return "the task names no release of one file" }
        if let own = settings.hardware, case .array(let fits)? = release["hardware"], !fits.isEmpty,
            !fits.contains(.string(own))
        {
            return "the release is not for this hardware (\(own))"
        }
        if let last = installed[component], counter < last, release["rollback"] != .bool(true) {
            return "the release is older than what is installed (\(counter) < \(last))"
        }
        guard settings.updateKey != nil || component == SelfUpdate.component else {
            return "no update-key is set, so no update can be checked"
        }
        return nil
    }

    /// Fetches and installs; what went before an interruption is not done twice. Throws `CancellationError` when it was
    /// ended before swupdate began.
    func install(
        _ release: JSONValue, until request: EndRequest, progress: @Sendable (Int64, Int64) -> Void,
        on pool: NIOThreadPool
    ) async throws -> TaskOutcome {
        guard case .array(let artifacts)? = release["artifacts"],
            let artifact = artifacts.first.flatMap(ReleaseArtifact.init), let key = settings.updateKey
        else { return TaskOutcome(.refused, details: ["the task names no release of one file"]) }
        let download = Download(artifact: artifact, directory: directory, client: client, identity: identity)
        try removeOthers(than: artifact)
        try await download.fetch(until: request) { progress($0, artifact.size) }
        if request.isAsked { throw CancellationError() }
        // From here on it is not ended any more: half an installation helps nobody.
        request.tooLate()
        var program = TaskProgram(settings.swupdate, timeout: settings.taskTimeout)
        program.arguments = ["-v", "-k", key] + settings.swupdateOptions + ["-i", "/proc/self/fd/0"]
        // swupdate 2022.12 asks its installer how it went as soon as it has passed on the last byte, and ends with 1, in the
        // middle of the work, when a small file was passed on before the installer woke. So nothing comes before it has.
        program.input = .file(download.path, after: "SWUPDATE started")
        if let folder = getenv("TMPDIR") { program.environment["TMPDIR"] = String(cString: folder) }
        let ready = program
        let (end, said) = try await pool.runIfActive {
            var said: [String] = []
            let end = try ready.run(until: EndRequest()) { line in
                guard line.contains("ERROR") || line.contains("SWUPDATE") || line.contains("FAIL") else { return }
                said.append(line)
                if said.count > AgentLimits.details { said.removeFirst() }
            }
            return (end, said)
        }
        switch end {
        case .exited(0):
            try StateFile.remove(download.path)
            return TaskOutcome(.succeeded)
        case .exited(let code): return TaskOutcome(.failed, code: Int64(code), details: said)
        case .killed(let signal): return TaskOutcome(.failed, code: 128 + Int64(signal), details: said)
        case .timedOut: return TaskOutcome(.failed, details: said + ["swupdate took too long"])
        case .cancelled: return TaskOutcome(.cancelled)
        }
    }

    /// Half a file of another task only takes room.
    private func removeOthers(than artifact: ReleaseArtifact) throws {
        for name in try StateFile.names(in: directory) where !name.hasPrefix(artifact.sha256) {
            try StateFile.remove("\(directory)/\(name)")
        }
    }
}
