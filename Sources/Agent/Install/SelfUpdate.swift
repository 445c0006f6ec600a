import Base
import Glibc

/// A newer agent in the place of the one that the package brought, and the way back when it does not reach the server.
///
/// The program that systemd starts stays what it is. When there is a newer one it hands over to that; one that has not
/// yet proved itself is started a few times only, and then forgotten.
package struct SelfUpdate: Sendable {
    /// The component whose releases are the agent itself.
    static let component = "tidegate-agent"
    /// How often a new agent may start without having reached the server.
    private static let trials: Int64 = 3
    /// What tells an agent that it was handed over to.
    private static let mark = "TIDEGATE_AGENT_HANDED_OVER"

    private struct Record: Hashable {
        /// The SHA-256 of the program, which is its name as well.
        var program: String
        /// The version of the packaged agent: another package counts more.
        var base: String
        /// How often it was started; -1 once it has proved itself.
        var starts: Int64

        var json: JSONValue {
            .object(["program": .string(program), "base": .string(base), "starts": .integer(starts)])
        }

        init(program: String, base: String, starts: Int64) {
            (self.program, self.base, self.starts) = (program, base, starts)
        }

        init?(_ bytes: [UInt8]) {
            guard let json = try? JSONValue(parsing: bytes), let program = json["program"]?.string,
                [UInt8](hex: program)?.count == 32, let base = json["base"]?.string,
                let starts = json["starts"]?.integer
            else { return nil }
            self.init(program: program, base: base, starts: starts)
        }
    }

    private let directory: String
    private var file: String { directory + "/record.json" }

    /// The newer agent in the directory `state`.
    package init(state: String) { directory = state + "/agent" }

    private func record() throws -> Record? {
        try StateFile.read(file).flatMap(Record.init)
    }

    /// Hands over to a newer agent if there is one that may be tried; returns when there is none.
    package func handOver(from version: String) throws {
        guard getenv(Self.mark) == nil, var record = try record() else { return }
        guard record.base == version, record.starts < Self.trials, access(path(record.program), X_OK) == 0 else {
            return try forget()
        }
        if record.starts >= 0 {
            record.starts += 1
            try StateFile.write(Array(record.json.canonical.utf8), to: file)
        }
        setenv(Self.mark, version, 1)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv(path(record.program), &arguments)
        // It is no program for this machine after all.
        unsetenv(Self.mark)
        for argument in arguments { free(argument) }
        try forget()
    }

    /// Puts the file at `download` in the agent's place, to be tried at the next start; what is wrong with it, or nil.
    func put(_ download: String, sha256: String, version: String) throws -> String? {
        // The packaged agent's version, whichever runs now.
        let base = getenv(Self.mark).map { String(cString: $0) } ?? version
        try StateFile.makeDirectory(directory)
        guard chmod(download, 0o700) == 0, rename(download, path(sha256)) == 0 else {
            throw FileFailure("replace", path(sha256))
        }
        var said = ""
        let end = try? TaskProgram(path(sha256), arguments: ["--version"], timeout: 20).run(until: EndRequest()) {
            if said.isEmpty { said = $0 }
        }
        guard end == .exited(0), said.hasPrefix("tidegate-agent ") else {
            try StateFile.remove(path(sha256))
            return "the file is no agent for this device"
        }
        try StateFile.write(Array(Record(program: sha256, base: base, starts: 0).json.canonical.utf8), to: file)
        for name in try StateFile.names(in: directory) where name.utf8.count == 64 && name != sha256 {
            try StateFile.remove("\(directory)/\(name)")
        }
        return nil
    }

    /// Whether this program is the one of this digest.
    func isRunning(_ sha256: String) throws -> Bool {
        guard getenv(Self.mark) != nil, let record = try record() else { return false }
        return record.program == sha256
    }

    /// It has reached the server: from now on it is the agent.
    func confirm() throws {
        guard var record = try record() else { return }
        record.starts = -1
        try StateFile.write(Array(record.json.canonical.utf8), to: file)
    }

    private func forget() throws {
        if let record = try record() { try StateFile.remove(path(record.program)) }
        try StateFile.remove(file)
    }

    private func path(_ program: String) -> String { "\(directory)/\(program)" }
}
