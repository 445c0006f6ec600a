import Base

/// Desired documents: put into effect by a program, on trial until the server was reached with them.
extension AgentService {
    /// Fetches what the device is wanted to be, and puts it into effect when it is news.
    func followDesired(_ calls: ServerCalls) async throws {
        guard let device = kept?.device, !isConfiguring else { return }
        // The server counts it as fetched before its answer is here: until that is kept it is asked for again.
        hasAskedForDesired = false
        guard let envelope = try await calls.desired() else {
            hasAskedForDesired = true
            return
        }
        try await learnKeys(for: [envelope], kind: .desired, calls)
        do throws(EnvelopeRefusal) {
            guard let text = envelope["signed"]?.string else { throw .malformed }
            let signed = try SignedEnvelope(
                opening: text, .desired, for: .init(tenant: settings.tenant, device: device), keys: keys,
                after: journal.contents.desiredSequence, now: clock.now)
            guard let version = signed.payload["version"]?.integer, let document = signed.payload["document"] else {
                throw .malformed
            }
            await apply(.init(version: version, document: document), sequence: signed.sequence)
        } catch {
            // With the keys and the time right it may be good the next time.
            hasAskedForDesired = error != .unknownKey && error != .expired
            log.say("refused a desired document", ["reason": error.rawValue])
            try journal.write { contents in contents.refusals[error.rawValue, default: 0] &+= 1 }
        }
    }

    /// Notes a document and puts it into effect when it is newer than what was tried.
    func apply(_ document: ConfigurationState.Document, sequence: Int64) async {
        let state = journal.contents.configuration
        do {
            guard document.version > state.tried else {
                try journal.write { $0.desiredSequence = sequence }
                hasAskedForDesired = true
                return
            }
            let deadline = boots.seconds() + settings.trial
            try journal.write { contents in
                contents.desiredSequence = sequence
                contents.configuration.tried = document.version
                contents.configuration.trial = document
                contents.configuration.deadline = deadline
                contents.configuration.boot = boots.boot
                contents.configuration.starts = 0
                contents.configuration.isPuttingIn = true
                contents.configuration.untold = nil
            }
            hasAskedForDesired = true
        } catch {
            return log.say("the journal can not be written", ["reason": "\(error)"])
        }
        log.say("applying a configuration", ["version": "\(document.version)"])
        await putIn(document)
    }

    /// Runs the program for what is on trial; how long that takes is no time in which the server could be reached.
    private func putIn(_ trial: ConfigurationState.Document) async {
        let began = boots.seconds()
        if let problem = await configure(trial, isRollback: false) { return await rollBack(problem) }
        let ended = boots.seconds()
        do {
            try journal.write { contents in
                guard contents.configuration.trial == trial else { return }
                // A start of the agent alone gives no more time, unless the program had not ended before it.
                if contents.configuration.isPuttingIn {
                    contents.configuration.deadline = ended + settings.trial
                } else {
                    contents.configuration.deadline += max(0, ended - began)
                }
                contents.configuration.isPuttingIn = false
            }
        } catch {
            log.say("the journal can not be written", ["reason": "\(error)"])
        }
    }

    /// The server was reached: what is on trial is good.
    func confirm(_ trial: ConfigurationState.Document?) throws {
        guard let trial, !isConfiguring, journal.contents.configuration.trial == trial else { return }
        try journal.write { contents in
            contents.configuration.good = trial
            contents.configuration.trial = nil
            contents.configuration.untold = Self.word(trial.version, "applied", nil)
        }
        log.say("a configuration is in effect", ["version": "\(trial.version)"])
    }

    /// Puts what is on trial into effect once more after a start: whether the program had done its work is not known.
    ///
    /// A device that was started anew gets the whole time again, and not for ever: what keeps it from staying up is rolled
    /// back as well.
    func resumeTrial() async {
        let state = journal.contents.configuration
        guard let trial = state.trial else { return }
        guard state.starts < AgentLimits.trialStarts else {
            return await rollBack("the agent started \(state.starts) times without reaching the server")
        }
        do {
            try journal.write { contents in
                contents.configuration.starts += 1
                if contents.configuration.boot != boots.boot {
                    contents.configuration.boot = boots.boot
                    contents.configuration.deadline = boots.seconds() + settings.trial
                }
            }
        } catch {
            log.say("the journal can not be written", ["reason": "\(error)"])
        }
        await putIn(trial)
    }

    /// Brings the old configuration back when the server was not reached in time with the new one.
    func rollBackIfDue() async {
        let state = journal.contents.configuration
        guard state.trial != nil, !isConfiguring, boots.seconds() >= state.deadline else { return }
        await rollBack("the server was not reached within \(settings.trial) seconds")
    }

    private func rollBack(_ reason: String) async {
        guard let trial = journal.contents.configuration.trial else { return }
        log.say("rolling a configuration back", ["version": "\(trial.version)", "reason": reason])
        // Still on trial while this runs, so that after a power cut it is rolled back again.
        let good = journal.contents.configuration.good
        let problem = await configure(good ?? .init(version: 0, document: .object([:])), isRollback: true)
        do {
            try journal.write { contents in
                contents.configuration.trial = nil
                contents.configuration.untold = Self.word(
                    trial.version, problem == nil ? "rolledBack" : "failed",
                    problem.map { "\(reason); \($0)" } ?? reason)
            }
        } catch {
            log.say("the journal can not be written", ["reason": "\(error)"])
        }
    }

    private static func word(_ version: Int64, _ state: String, _ reason: String?) -> JSONValue {
        [
            "configuration": [
                "version": .integer(version), "state": .string(state),
                "reason": reason.map { .string(String($0.prefix(AgentLimits.detailBytes))) } ?? .null,
            ]
        ]
    }

    /// Runs the program `configure` with a document; what is wrong with that, or nil.
    private func configure(_ document: ConfigurationState.Document, isRollback: Bool) async -> String? {
        isConfiguring = true
        defer { isConfiguring = false }
        var program = TaskProgram("\(settings.tasks)/configure", timeout: settings.taskTimeout)
        if let objection = program.objection { return objection }
        program.environment = ["TIDEGATE_ROLLBACK": isRollback ? "1" : "0", "TIDEGATE_STATE": settings.state]
        program.input = .bytes(Array(document.json.canonical.utf8))
        let ready = program
        do {
            let (end, said) = try await blocking {
                var said = ""
                let end = try ready.run(until: EndRequest()) { if !$0.isEmpty { said = $0 } }
                return (end, said)
            }
            return end == .exited(0) ? nil : "configure ended with \(end): \(said)"
        } catch {
            return "\(error)"
        }
    }
}
