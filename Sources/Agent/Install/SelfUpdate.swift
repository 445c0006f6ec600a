import Base
import Glibc

/// A newer agent in the place of the one that the package brought, and the way back when it does not reach the server: to
/// the one that proved itself before, or to the packaged one.
///
/// The program that systemd starts stays what it is. When there is a newer one it hands over to that; one that has not
/// yet proved itself is started a few times only, each time for a while, and then counts as failed.
package struct SelfUpdate: Sendable {
    /// The component whose releases are the agent itself.
    static let component = "tidegate-agent"
    /// How often a new agent may start without having reached the server.
    private static let trials: Int64 = 3
    /// What tells an agent that it was handed over to.
    private static let mark = "TIDEGATE_AGENT_HANDED_OVER"

    /// What is known of a program that a task brought.
    enum Standing: Hashable {
        /// Nothing: it was not tried for this task.
        case unknown
        /// It will be tried at the next start.
        case waits
        /// It is the program that runs now.
        case runs
        /// It was tried, and did not reach the server.
        case failed
    }

    /// A program that was tried for a task.
    private struct Attempt: Hashable {
        var program: String
        var task: Int64

        var json: JSONValue { .object(["program": .string(program), "task": .integer(task)]) }

        init(_ program: String, _ task: Int64) { (self.program, self.task) = (program, task) }

        init?(_ json: JSONValue?) {
            guard let program = json?["program"]?.string, [UInt8](hex: program)?.count == 32 else { return nil }
            self.init(program, json?["task"]?.integer ?? 0)
        }
    }

    private struct Record: Hashable {
        /// The SHA-256 of the program, which is its name as well.
        var program: String
        /// The version of the packaged agent: another package counts more.
        var base: String
        /// The number of the task that brought it.
        var task: Int64
        /// How often it was started; -1 once it has proved itself, -2 once it has failed.
        var starts: Int64 = 0
        /// The program that proved itself before this one.
        var previous: Attempt?
        /// The program after this one, which failed.
        var failure: Attempt?

        static let proved: Int64 = -1
        static let failed: Int64 = -2

        var json: JSONValue {
            var members: [String: JSONValue] = [
                "program": .string(program), "base": .string(base), "task": .integer(task), "starts": .integer(starts),
            ]
            members["previous"] = previous?.json
            members["failure"] = failure?.json
            return .object(members)
        }

        init(program: String, base: String, task: Int64) {
            (self.program, self.base, self.task) = (program, base, task)
        }

        init?(_ bytes: [UInt8]) {
            guard let json = try? JSONValue(parsing: bytes), let program = json["program"]?.string,
                [UInt8](hex: program)?.count == 32, let base = json["base"]?.string,
                let starts = json["starts"]?.integer
            else { return nil }
            self.init(program: program, base: base, task: json["task"]?.integer ?? 0)
            self.starts = starts
            previous = Attempt(json["previous"])
            failure = Attempt(json["failure"])
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
        guard getenv(Self.mark) == nil else { return }
        while let record = try candidate(from: version) { try handOver(to: record, from: version) }
    }

    /// The program that would be handed over to, if there is one.
    func next(from version: String) throws -> String? { try candidate(from: version)?.program }

    /// What may be tried; what may not any more is given up.
    private func candidate(from version: String) throws -> Record? {
        while let record = try record(), record.starts != Record.failed {
            if record.base == version, record.starts < Self.trials, access(path(record.program), X_OK) == 0 {
                return record
            }
            try giveUp(record)
        }
        return nil
    }

    /// Returns only when it is no program for this machine after all.
    private func handOver(to record: Record, from version: String) throws {
        var record = record
        if record.starts >= 0 {
            record.starts += 1
            try keep(record)
            // It outlives what comes next, ends a program that hangs, and follows no clock that anybody can set.
            alarm(AgentLimits.trialSeconds)
        }
        setenv(Self.mark, "\(version) \(record.program)", 1)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv(path(record.program), &arguments)
        alarm(0)
        unsetenv(Self.mark)
        for argument in arguments { free(argument) }
        try giveUp(record)
    }

    /// Puts the file at `download` in the agent's place, to be tried at the next start for a task; what is wrong with it,
    /// or nil.
    func put(_ download: String, sha256: String, version: String, task: Int64) throws -> String? {
        // The packaged agent's version, whichever runs now.
        let base = Self.handedOver?.base ?? version
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
        var fresh = Record(program: sha256, base: base, task: task)
        if let present = try record(), present.base == base {
            let isProved = present.starts == Record.proved
            // The same program once more has nothing to prove.
            if isProved, present.program == sha256 { fresh.starts = Record.proved }
            fresh.previous = isProved ? Attempt(present.program, present.task) : present.previous
            if fresh.previous?.program == sha256 { fresh.previous = nil }
        }
        try keep(fresh)
        try clear(but: fresh)
        return nil
    }

    /// How it went with the program of this digest for a task.
    func standing(of sha256: String, for task: Int64) throws -> Standing {
        guard let record = try record() else { return .unknown }
        if record.failure == Attempt(sha256, task) { return .failed }
        guard record.program == sha256, record.task == task else { return .unknown }
        if record.starts == Record.failed { return .failed }
        return Self.handedOver?.program == sha256 ? .runs : .waits
    }

    /// Which packaged agent handed over to which program, if one did.
    private static var handedOver: (base: String, program: String)? {
        guard let words = getenv(mark).map({ String(cString: $0).split(separator: " ") }), words.count == 2 else {
            return nil
        }
        return (String(words[0]), String(words[1]))
    }

    /// It has reached the server: from now on it is the agent.
    func confirm() throws {
        alarm(0)
        guard var record = try record() else { return }
        record.starts = Record.proved
        (record.previous, record.failure) = (nil, nil)
        try keep(record)
        try clear(but: record)
    }

    /// Whether a program that a task brought runs now, and not the packaged one.
    static var isHandedOver: Bool { handedOver != nil }

    /// Goes back to the agent before; of a program that was on trial it is remembered that it failed.
    private func giveUp(_ record: Record) throws {
        let failure = record.starts >= 0 ? Attempt(record.program, record.task) : record.failure
        if record.starts >= 0, let previous = record.previous {
            var back = Record(program: previous.program, base: record.base, task: previous.task)
            back.starts = Record.proved
            back.failure = failure
            try keep(back)
        } else if let failure {
            var failed = Record(program: failure.program, base: record.base, task: failure.task)
            failed.starts = Record.failed
            try keep(failed)
        } else {
            try StateFile.remove(file)
        }
        try StateFile.remove(path(record.program))
    }

    /// Removes the programs that the record does not name.
    private func clear(but record: Record) throws {
        for name in try StateFile.names(in: directory)
        where name.utf8.count == 64 && name != record.program && name != record.previous?.program {
            try StateFile.remove("\(directory)/\(name)")
        }
    }

    private func keep(_ record: Record) throws {
        try StateFile.write(Array(record.json.canonical.utf8), to: file)
    }

    private func path(_ program: String) -> String { "\(directory)/\(program)" }
}
