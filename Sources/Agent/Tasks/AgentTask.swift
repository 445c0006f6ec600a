package import Base

/// One task as the agent keeps it, from the moment it takes it until the server knows its end.
package struct AgentTask: Sendable, Hashable {
    /// How far it is.
    package enum State: String, Sendable {
        /// It is the agent's, and nothing was done yet.
        case taken
        /// Its program has been started.
        case running
        /// Its program wants to be asked again once the agent has started anew.
        case continues
        /// It is over, and the server does not know yet.
        case ended
    }

    /// The number by which the server knows it.
    package let id: Int64
    /// What it asks for.
    package let type: String
    /// What it brings.
    package let input: JSONValue
    /// What it wants installed.
    package let release: JSONValue?
    /// When it was signed.
    package let sequence: Int64
    /// How far it is.
    package var state = State.taken
    /// How often it was begun.
    package var attempts: Int64 = 0
    /// What became of it, once it has ended.
    package var outcome: TaskOutcome?
    /// Whether somebody wants it ended.
    package var isCancelling = false
    /// Whether it need ask nobody beside the device, or has asked and they agreed.
    package var isAgreed: Bool

    /// The task that an envelope brings; throws when it is none.
    package init(_ envelope: SignedEnvelope) throws(EnvelopeRefusal) {
        guard let id = envelope.payload["id"]?.integer, id > 0, let type = envelope.payload["type"]?.string,
            Self.isName(type)
        else { throw .malformed }
        self.id = id
        self.type = type
        input = envelope.payload["input"] ?? .object([:])
        release = envelope.payload["release"].flatMap { $0 == .null ? nil : $0 }
        sequence = envelope.sequence
        isAgreed = envelope.payload["confirm"] != .bool(true)
    }

    /// Letters, digits and `-`: the name of a program in a directory, and never a way out of it.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .integer(id), "type": .string(type), "input": input, "sequence": .integer(sequence),
            "state": .string(state.rawValue), "attempts": .integer(attempts), "cancelling": .bool(isCancelling),
            "agreed": .bool(isAgreed),
        ]
        members["release"] = release
        members["outcome"] = outcome?.json
        return .object(members)
    }

    init?(kept json: JSONValue) {
        guard let id = json["id"]?.integer, let type = json["type"]?.string, Self.isName(type),
            let input = json["input"], let sequence = json["sequence"]?.integer,
            let state = json["state"]?.string.flatMap(State.init(rawValue:)), let attempts = json["attempts"]?.integer
        else { return nil }
        self.id = id
        self.type = type
        self.input = input
        self.sequence = sequence
        self.state = state
        self.attempts = attempts
        release = json["release"]
        outcome = json["outcome"].flatMap(TaskOutcome.init(kept:))
        isCancelling = json["cancelling"] == .bool(true)
        // Earlier agents asked nobody.
        isAgreed = json["agreed"] != .bool(false)
    }
}

/// What became of a task.
package struct TaskOutcome: Sendable, Hashable {
    /// The word that the server takes.
    package enum Word: String, Sendable {
        /// It is done.
        case succeeded
        /// It could not be done.
        case failed
        /// The device does not do it.
        case refused
        /// It was ended, as somebody wanted.
        case cancelled
    }

    /// The word.
    package var word: Word
    /// The exit code of its program, when it had one.
    package var code: Int64?
    /// What the program said, or why.
    package var details: [String]

    /// An outcome with its details, cut to what the server keeps.
    package init(_ word: Word, code: Int64? = nil, details: [String] = []) {
        self.word = word
        self.code = code
        self.details = details.suffix(AgentLimits.details).map { Self.cut($0) }
    }

    /// `text`, cut to what the server keeps of one.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > AgentLimits.detailBytes else { return text }
        return String(decoding: text.utf8.prefix(AgentLimits.detailBytes - 4), as: UTF8.self) + "…"
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "word": .string(word.rawValue), "details": .array(details.map { .string($0) }),
        ]
        members["code"] = code.map { .integer($0) }
        return .object(members)
    }

    init?(kept json: JSONValue) {
        guard let word = json["word"]?.string.flatMap(Word.init(rawValue:)), case .array(let details)? = json["details"]
        else { return nil }
        self.init(word, code: json["code"]?.integer, details: details.compactMap(\.string))
    }

    /// What is told to the server.
    var status: JSONValue {
        var members: [String: JSONValue] = ["state": .string(word.rawValue)]
        if !details.isEmpty { members["details"] = .array(details.map { .string($0) }) }
        members["code"] = code.map { .integer($0) }
        return .object(members)
    }
}
