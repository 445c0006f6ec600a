package import Base

/// What the agent must not forget: on disk before anything comes of it.
///
/// It is small (at most sixteen tasks), so each change writes the whole file anew, and after a power cut it is either the
/// old one or the new one.
package struct Journal: Sendable {
    /// What stands in the file.
    package struct Contents: Sendable, Hashable {
        /// The sequence of the last task that was obeyed.
        package var taskSequence: Int64 = 0
        /// The sequence of the last desired document that was obeyed.
        package var desiredSequence: Int64 = 0
        /// The tasks that are not over for the server, in the order in which they came.
        package var tasks: [AgentTask] = []
        /// How often something signed was refused, by reason.
        package var refusals: [String: Int64] = [:]
        /// The counter of the release that was installed last, by component.
        package var installed: [String: Int64] = [:]
        /// Whether the tamper input says that the case is open.
        package var isOpened = false
        /// What has happened to the device and the server does not know yet.
        package var events: [JSONValue] = []
        /// The version of the desired document that is in effect, and that of one on trial.
        package var configuration = ConfigurationState()
    }

    private let path: String
    /// What is on disk.
    package private(set) var contents: Contents

    /// The journal in the directory `state`; a damaged one throws, because an empty one would obey replays.
    package init(state: String) throws {
        path = "\(state)/journal.json"
        guard let bytes = try StateFile.read(path) else {
            contents = Contents()
            return
        }
        guard let json = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: AgentLimits.stateBytes, depth: 64)),
            let kept = Contents(kept: json)
        else { throw FileFailure("\(path): is damaged") }
        contents = kept
    }

    /// Changes the contents; on disk when it returns.
    package mutating func write(_ change: (inout Contents) -> Void) throws {
        var fresh = contents
        change(&fresh)
        guard fresh != contents else { return }
        try StateFile.write(Array(fresh.json.canonical.utf8), to: path)
        contents = fresh
    }

    /// The task of this number, if it is not over.
    package func task(_ id: Int64) -> AgentTask? { contents.tasks.first { $0.id == id } }
}

extension Journal.Contents {
    /// Changes the task of this number, if there is one.
    package mutating func update(_ id: Int64, _ change: (inout AgentTask) -> Void) {
        guard let index = tasks.firstIndex(where: { $0.id == id }) else { return }
        change(&tasks[index])
    }

    fileprivate var json: JSONValue {
        .object([
            "taskSequence": .integer(taskSequence), "desiredSequence": .integer(desiredSequence),
            "tasks": .array(tasks.map(\.json)), "refusals": .object(refusals.mapValues { .integer($0) }),
            "configuration": configuration.json, "opened": .bool(isOpened),
            "events": .array(events),
            "installed": .object(installed.mapValues { .integer($0) }),
        ])
    }

    fileprivate init?(kept json: JSONValue) {
        guard let taskSequence = json["taskSequence"]?.integer, let desiredSequence = json["desiredSequence"]?.integer,
            case .array(let tasks)? = json["tasks"], case .object(let refusals)? = json["refusals"],
            case .object(let installed)? = json["installed"],
            let configuration = json["configuration"].flatMap(ConfigurationState.init(kept:))
        else { return nil }
        self.taskSequence = taskSequence
        self.desiredSequence = desiredSequence
        self.configuration = configuration
        isOpened = json["opened"] == .bool(true)
        if case .array(let events)? = json["events"] { self.events = events }
        self.installed = installed.compactMapValues(\.integer)
        self.refusals = refusals.compactMapValues(\.integer)
        self.tasks = tasks.compactMap(AgentTask.init(kept:))
        guard self.tasks.count == tasks.count else { return nil }
    }
}
