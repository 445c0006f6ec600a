import Base
import NIOPosix

/// Doing tasks, one after the other.
extension AgentService {
    /// Does what is to be done until cancelled.
    func workOn() async {
        while !Task.isCancelled {
            guard let task = nextTask() else {
                await work.wait(nil)
                continue
            }
            guard await isWanted(task) else { continue }
            await perform(task)
            bell.ring()
            if wantsRestart {
                log.say("the agent starts anew")
                restart.ring()
                return
            }
        }
    }

    /// The oldest task with something to do: taken, or begun by a run of the agent that has ended.
    private func nextTask() -> AgentTask? {
        let open = journal.contents.tasks.filter { task in
            switch task.state {
            case .taken: true
            case .continues, .running: !begunHere.contains(task.id)
            case .ended: false
            }
        }
        // A new agent has minutes to prove itself, in which it must not wait behind anything else.
        return open.first { task in
            task.state != .taken && task.type == "install"
                && task.release?["component"]?.string == SelfUpdate.component
        } ?? open.first
    }

    /// Whether a task may be begun. One that was not begun when it came is asked for: while it waited here its time may
    /// have ended at the server, which has then given it out anew. Without an answer it waits.
    private func isWanted(_ task: AgentTask) async -> Bool {
        let came = taken.removeValue(forKey: task.id)
        if task.state == .continues || came.map({ .now - $0 < AgentLimits.freshFor }) ?? false { return true }
        do {
            let state = task.state == .taken ? "taken" : "running"
            guard try await calls().tell(["state": .string(state)], of: task.id) else {
                log.say("a task is not wanted any more", ["id": "\(task.id)"])
                try journal.write { contents in contents.tasks.removeAll { $0.id == task.id } }
                return false
            }
            // Somebody may have ended it meanwhile.
            return journal.task(task.id)?.state == task.state
        } catch {
            log.say("a task waits for the server", ["id": "\(task.id)", "reason": "\(error)"])
            await work.wait(AgentLimits.wordPause)
            return false
        }
    }

    private func perform(_ task: AgentTask) async {
        let isAgain = task.state == .continues
        begunHere.insert(task.id)
        let request = EndRequest()
        running = (task.id, request)
        defer { running = nil }
        do {
            try journal.write { contents in
                contents.update(task.id) { task in
                    task.state = .running
                    task.attempts += 1
                }
            }
        } catch {
            // Without a note of it nothing may be begun.
            begunHere.remove(task.id)
            log.say("the journal can not be written", ["reason": "\(error)"])
            try? await Task.sleep(for: .seconds(5))
            return
        }
        let result = await withTaskCancellationHandler {
            await self.result(of: task, isAgain: isAgain, request)
        } onCancel: {
            request.ask()
        }
        // It ended with the agent, not by the server's wish: the next start judges it as after a power cut.
        if Task.isCancelled, case .ended(let outcome) = result, outcome.word == .cancelled { return }
        do {
            try journal.write { contents in
                contents.update(task.id) { task in
                    switch result {
                    case .continues: task.state = .continues
                    case .ended(let outcome):
                        task.state = .ended
                        task.outcome = outcome
                    }
                }
            }
            if case .ended = result { begunHere.remove(task.id) }
        } catch {
            log.say("the journal can not be written", ["reason": "\(error)"])
        }
    }

    private func result(of task: AgentTask, isAgain: Bool, _ request: EndRequest) async -> TaskWorker.Result {
        do {
            switch task.type {
            case "wake": return .ended(TaskOutcome(.succeeded))
            case "synchronise":
                toldFacts = nil
                hasAskedForDesired = false
                return .ended(resend(task.input))
            case "renewCertificate", "rotateKeys":
                try await renew()
                if settings.separateStream, let kept { try await renewStream(kept) }
                return .ended(TaskOutcome(.succeeded))
            case "configure":
                try await followDesired(try await calls())
                let state = journal.contents.configuration
                let version = state.trial?.version ?? state.good?.version ?? 0
                return .ended(
                    state.tried == version
                        ? TaskOutcome(.succeeded, details: ["version \(version)"])
                        : TaskOutcome(
                            .failed, details: ["version \(state.tried) was not taken; \(version) is in effect"]))
            case "install":
                if let objection = Installer.objection(
                    to: task.release, settings: settings, installed: journal.contents.installed)
                {
                    return .ended(TaskOutcome(.refused, details: [objection]))
                }
                if let answer = try await ask(for: task, isAgain: isAgain, request) { return answer }
                return task.release?["component"]?.string == SelfUpdate.component
                    ? try await replaceSelf(task, request) : .ended(try await install(task, request))
            default:
                return await TaskWorker(settings: settings, pool: pool, progress: progress)
                    .run(task, isAgain: isAgain, until: request)
            }
        } catch {
            // What the agent's own end cuts off fails in any way.
            let isCancelled = error is CancellationError || Task.isCancelled
            return .ended(isCancelled ? TaskOutcome(.cancelled) : TaskOutcome(.failed, details: ["\(error)"]))
        }
    }

    /// Asks whoever stands beside the device, by the program `confirm`, about an install that asks first. Nil when they
    /// agree, and when nobody need be asked; otherwise what becomes of it.
    private func ask(for task: AgentTask, isAgain: Bool, _ request: EndRequest) async throws -> TaskWorker.Result? {
        guard !task.isAgreed else { return nil }
        let answer = await TaskWorker(settings: settings, pool: pool, progress: progress)
            .run(task, by: "confirm", isAgain: isAgain, until: request)
        guard case .ended(let outcome) = answer, outcome.word != .cancelled else { return answer }
        guard outcome.word == .succeeded else {
            let details = ["it asks first, and nobody here agreed"] + outcome.details
            return .ended(TaskOutcome(.refused, code: outcome.code, details: details))
        }
        // Over a restart nobody is asked twice.
        try journal.write { contents in contents.update(task.id) { $0.isAgreed = true } }
        return nil
    }

    private func install(_ task: AgentTask, _ request: EndRequest) async throws -> TaskOutcome {
        guard task.attempts < AgentLimits.installAttempts else {
            return TaskOutcome(.failed, details: ["it was interrupted \(task.attempts) times"])
        }
        guard let release = task.release, let identity = kept?.identity else { return TaskOutcome(.refused) }
        let progress = progress
        let outcome = try await Installer(settings: settings, client: client, identity: identity).install(
            release, until: request, progress: { progress.set(task.id, $0, of: max($1, 1)) }, on: pool)
        if outcome.word == .succeeded { try noteInstalled(release) }
        return outcome
    }

    /// Runs a program where it may block.
    func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(work)
    }
}
