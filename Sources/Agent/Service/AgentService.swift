package import Base
package import NIOCore
import NIOPosix

/// The agent: calls the server, keeps its certificate, takes tasks and tells what became of them.
///
/// Everything that must survive a power cut is in the journal before anything comes of it; what is told to the server is
/// told again until it has answered, which is harmless because the same words twice change nothing there.
package actor AgentService {
    let settings: AgentSettings
    let client: HTTPSClient
    let log: AgentLog
    let clock: WallClock
    /// Measures how long something may take.
    let boots: BootClock
    let version: String
    let bell = Bell()
    let work = Bell()
    let progress = TaskWorker.Progress()
    /// One thread for tasks, one for configurations, one for measurements.
    let pool: NIOThreadPool
    /// Held for as long as the agent lives: two would write over each other's journal.
    private let lock: CInt
    let store: IdentityStore
    let streamStore: IdentityStore
    var journal: Journal
    var keys = MaintenanceKeys()
    var kept: IdentityStore.Kept?
    var keptStream: IdentityStore.Kept?
    /// A token that the server did not take.
    var spentToken: String?
    /// What runs now, and how it is asked to end.
    var running: (id: Int64, request: EndRequest)?
    /// Whether the task in the journal was begun by this run of the agent, not by one that was cut.
    var begunHere: Set<Int64> = []
    private var told: [Int64: AgentTask.State] = [:]
    /// When tasks came that were not begun yet.
    var taken: [Int64: ContinuousClock.Instant] = [:]
    var toldFacts: JSONValue?
    var hasAskedForDesired = false
    /// Readings that wait for the server.
    var readings: ReadingKeeper
    /// What ModemManager said last.
    var modemFacts: [String: JSONValue] = [:]
    /// Whether the tamper input could not be read.
    var isTamperMissing = false
    /// Files of readings that can not be removed.
    var stuck: Set<String> = []
    var isConfiguring = false
    /// Whether this run of the agent has reached the server.
    var hasCalled = false
    /// Whether the agent shall end, to be started as another one.
    var wantsRestart = false
    let restart = Bell()
    /// Whether somebody has filled in the set-up page.
    var isSetUp = false
    let group: any EventLoopGroup
    /// When the server was reached last, and what was in the way since then.
    var reached: Timestamp?
    var trouble: String?
    private var unknownKeyAsked: ContinuousClock.Instant?

    /// An agent with these settings; throws when its state can not be read.
    package init(
        _ settings: AgentSettings, version: String, group: any EventLoopGroup, clock: WallClock = .system,
        boots: BootClock = .system, log: AgentLog = AgentLog()
    ) throws {
        self.settings = settings
        self.version = version
        self.log = log
        self.clock = clock
        self.boots = boots
        self.group = group
        try StateFile.makeDirectory(settings.state)
        lock = try StateFile.lock("\(settings.state)/lock")
        let roots = try ServerPin(state: settings.state).roots(from: settings.serverCA)
        client = HTTPSClient(
            server: ServerAddress(
                host: settings.host, devicePort: settings.port, mqttPort: settings.port, roots: roots,
                proxy: settings.proxy), group: group)
        store = IdentityStore(state: settings.state, channel: .maintenance)
        streamStore = IdentityStore(state: settings.state, channel: .stream)
        readings = ReadingKeeper(state: settings.state, room: settings.buffer, kept: settings.history * 3600)
        // Where it can not be made nothing can be handed in; that is no reason to do nothing else.
        try? StateFile.makeDirectory(settings.state + "/readings")
        journal = try Journal(state: settings.state)
        kept = try store.load()
        keptStream = try streamStore.load()
        keys = try MaintenanceKeyStore(state: settings.state).load()
        pool = NIOThreadPool(numberOfThreads: 3)
        pool.start()
        try journal.write { contents in
            // The packaged agent is back: no release of it is installed any more.
            if !SelfUpdate.isHandedOver { contents.installed[SelfUpdate.component] = nil }
            for task in contents.tasks where task.state == .running && task.type != "install" {
                contents.update(task.id) { task in
                    task.state = .ended
                    task.outcome = TaskOutcome(
                        .failed, details: ["the agent was interrupted; how far the task went is not known"])
                }
            }
        }
    }

    deinit { StateFile.unlock(lock) }

    /// Works until cancelled, or until the agent is to be started anew.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.callOn() }
            group.addTask { await self.workOn() }
            group.addTask { await self.reportOn() }
            group.addTask { await self.showSetup() }
            group.addTask { await self.restart.wait(nil) }
            await group.next()
            group.cancelAll()
        }
        try? await pool.shutdownGracefully()
    }

    // MARK: - Calls

    private func callOn() async {
        var failures = 0
        await resumeTrial()
        while !Task.isCancelled {
            var pause: Duration
            do {
                pause = .seconds(try await call())
                if reached == nil { ProgramPages.giveBack() }
                failures = 0
                (reached, trouble) = (clock.now, nil)
            } catch {
                if Task.isCancelled { return }
                trouble = "\(error)"
                failures = min(failures + 1, 8)
                log.say("a call failed", ["reason": "\(error)"])
                // Doubled up to about four minutes, and not all devices at the same moment.
                pause = .seconds(1 << failures) * Double.random(in: 0.5...1)
            }
            await rollBackIfDue()
            if let deadline = journal.contents.configuration.trial.map({ _ in journal.contents.configuration.deadline })
            {
                pause = min(pause, .seconds(max(1, min(deadline - boots.seconds(), 30))))
            }
            await bell.wait(pause)
        }
    }

    /// One call, with everything that is to be told before it and done after; the seconds until the next one.
    package func call() async throws -> Int64 {
        let calls = try await calls()
        try await tell(calls)
        // Only a call that began with the configuration in effect says anything of it.
        let trial = isConfiguring ? nil : journal.contents.configuration.trial
        let heartbeat = try await calls.heartbeat()
        hasCalled = true
        try confirm(trial)
        // As early as can be, so that nobody who comes later can be the first.
        if keys.isEmpty { try await fetchKeys(calls) }
        try await take(heartbeat.tasks, calls)
        if heartbeat.desired != nil || !hasAskedForDesired { try await followDesired(calls) }
        try await tell(calls)
        try await tellEvents(calls)
        try await tellFacts(calls)
        return heartbeat.pause
    }

    // MARK: - Tasks

    private func take(_ envelopes: [JSONValue], _ calls: ServerCalls) async throws {
        guard let device = kept?.device else { return }
        if !envelopes.isEmpty { try await learnKeys(for: envelopes, calls) }
        for envelope in envelopes {
            var intake = TaskIntake.absent(0)
            try journal.write { contents in
                intake = TaskIntake.judge(
                    envelope, for: .init(tenant: settings.tenant, device: device), keys: keys, now: clock.now, &contents
                )
            }
            switch intake {
            case .taken(let task):
                taken[task.id] = .now
                log.say("took a task", ["id": "\(task.id)", "type": task.type])
                work.ring()
            case .known(let id, let cancels):
                if cancels, let running, running.id == id { running.request.ask() }
            case .absent(let id): try await calls.tell(TaskOutcome(.cancelled).status, of: id)
            case .refused(let reason, let id):
                log.say("refused a task", ["reason": reason.rawValue])
                guard let id, journal.task(id) == nil else { break }
                try await calls.tell(
                    TaskOutcome(.refused, details: ["the envelope is refused: \(reason.rawValue)"]).status, of: id)
            }
        }
    }

    /// Asks for the keys when an envelope names one that is not known, and not more than once a minute.
    func learnKeys(for envelopes: [JSONValue], kind: SignedEnvelope.Kind = .task, _ calls: ServerCalls) async throws {
        let isKnown = envelopes.allSatisfy { envelope in
            guard let text = envelope["signed"]?.string, let kid = SignedEnvelope.claimedKey(of: text, kind) else {
                return true
            }
            return keys.knows(kid)
        }
        guard !isKnown, unknownKeyAsked.map({ .now - $0 > .seconds(60) }) ?? true else { return }
        unknownKeyAsked = .now
        try await fetchKeys(calls)
    }

    /// Learns the keys that the server shows, as far as known ones vouch for them.
    private func fetchKeys(_ calls: ServerCalls) async throws {
        let bytes = try await calls.maintenanceKeys()
        guard let fresh = keys.successor(in: bytes) else {
            return log.say("left keys aside that no known key vouches for")
        }
        try MaintenanceKeyStore(state: settings.state).keep(fresh)
        keys = fresh
    }

    /// Ends a task that is over for the server, if that is still possible.
    private func giveUp(_ id: Int64) throws {
        if let running, running.id == id {
            running.request.ask()
        } else {
            try journal.write { contents in contents.tasks.removeAll { $0.id == id } }
        }
    }

    /// Tells how tasks stand; what has ended and was told is forgotten, and may come again as another attempt.
    private func tell(_ calls: ServerCalls) async throws {
        if let (task, done, of) = progress.take(), journal.task(task)?.state == .running {
            let isOpen = try await calls.tell(
                ["state": "running", "progress": ["done": .integer(done), "of": .integer(of)]], of: task)
            if !isOpen { try giveUp(task) }
        }
        for task in journal.contents.tasks {
            if let outcome = task.outcome, task.state == .ended {
                try await calls.tell(outcome.status, of: task.id)
                try journal.write { contents in contents.tasks.removeAll { $0.id == task.id } }
                told[task.id] = nil
            } else if told[task.id] != task.state {
                let isOpen = try await calls.tell(
                    ["state": task.state == .taken ? "taken" : "running"], of: task.id)
                if isOpen { told[task.id] = task.state } else { try giveUp(task.id) }
            } else if task.isCancelling, let running, running.id == task.id, running.request.isTooLate {
                try await calls.tell(["state": "continues"], of: task.id)
                try journal.write { contents in contents.update(task.id) { $0.isCancelling = false } }
            }
        }
    }
}
