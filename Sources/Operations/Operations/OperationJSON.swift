import Base

extension OperationTerms {
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "life": .integer(life), "timeout": .integer(timeout), "pause": .integer(pause),
            "retries": .object(
                Dictionary(uniqueKeysWithValues: retries.map { ($0.key.rawValue, .integer(Int64($0.value))) })),
        ]
        if confirm { members["confirm"] = true }
        if !windows.isEmpty { members["windows"] = .array(windows.map(\.json)) }
        members["starts"] = starts.map { .integer($0.microseconds) }
        return .object(members)
    }

    /// The terms as they were stored.
    init(stored json: JSONValue) {
        self.init()
        if let starts = json["starts"]?.integer { self.starts = Timestamp(microseconds: starts) }
        if let life = json["life"]?.integer { self.life = life }
        if let timeout = json["timeout"]?.integer { self.timeout = timeout }
        if let pause = json["pause"]?.integer { self.pause = pause }
        confirm = json["confirm"] == true
        if case .array(let windows)? = json["windows"] {
            self.windows = windows.compactMap { try? MaintenanceWindow($0) }
        }
        for failure in TaskFailure.allCases {
            if let times = json["retries"]?[failure.rawValue]?.integer { retries[failure] = Int(clamping: times) }
        }
    }
}

extension OperationTarget {
    /// What is kept of it: of devices named one by one, how many; their tasks say which.
    var json: JSONValue {
        switch self {
        case .filter(let text): ["filter": text.map { .string($0) } ?? .null]
        case .domain(let text): ["domain": .string(text)]
        case .devices(let named): ["devices": .integer(Int64(named.count))]
        }
    }
}
