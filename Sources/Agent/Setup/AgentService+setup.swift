import Base
import FoundationEssentials
package import NIOCore

/// The set-up page of a device that knows its server, which it may not have reached yet.
extension AgentService {
    /// Shows it until the device is enrolled, or for ever where that is wanted.
    func showSetup() async {
        if let address = settings.setup, settings.setupAlways || kept == nil {
            let server = SetupServer(address) {
                await self.setupPage()
            } take: { form in
                try await self.setUp(form)
            }
            await withTaskGroup { group in
                group.addTask { await server.keepRunning(on: self.group, log: self.log) }
                group.addTask { await self.waitUntilEnrolled() }
                await group.next()
                group.cancelAll()
            }
        }
        // Nothing more to show is no reason for the agent to end.
        await Self.rest()
    }

    private static func rest() async {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    }

    private func waitUntilEnrolled() async {
        while !Task.isCancelled, settings.setupAlways || kept == nil {
            try? await Task.sleep(for: .seconds(1))
            // A moment later, so that the answer goes first.
            if isSetUp { restart.ring() }
        }
    }

    private func setupPage() -> SetupPage {
        var facts = [
            ("Agent", version), ("Server", "\(settings.host):\(settings.port)"), ("Organisation", settings.tenant),
            ("Device", settings.device), ("Enrolled", kept == nil ? "no" : "yes"),
        ]
        if let kept {
            let ends = Int64(kept.life.ends.timeIntervalSince1970)
            facts.append(("Certificate ends", Timestamp(microseconds: ends * 1_000_000).rfc3339))
        }
        facts.append(("Server reached", reached.map { $0.rfc3339 } ?? "not since the agent started"))
        if let trouble { facts.append(("Trouble", String(trouble.prefix(AgentLimits.detailBytes)))) }
        return SetupPage(
            facts: facts.map { (name: $0.0, value: $0.1) },
            entered: [
                "server": "\(settings.host):\(settings.port)", "tenant": settings.tenant, "device": settings.device,
            ])
    }

    private func setUp(_ form: SetupForm) throws {
        guard kept == nil else { throw SetupForm.Fault(message: "This device is enrolled already.") }
        guard form.authority == nil || !ServerPin(state: settings.state).isSet else {
            throw SetupForm.Fault(
                message: "The device knows its server's authority already; tidegate-agent reset-pin forgets it.")
        }
        try SetupStore(state: settings.state).keep(form)
        log.say("the device was set up by its page")
        isSetUp = true
    }
}

/// A device whose settings do not even name a server: it shows its set-up page and does nothing else.
package struct UnsetDevice: Sendable {
    private let settings: AgentSettings
    private let version: String

    /// A device with these settings.
    package init(_ settings: AgentSettings, version: String) { (self.settings, self.version) = (settings, version) }

    /// Shows the page until the form was filled in; then the agent is to be started anew.
    package func run(on group: any EventLoopGroup) async throws {
        guard let address = settings.setup else { return }
        try StateFile.makeDirectory(settings.state)
        let done = Bell()
        let (settings, version) = (settings, version)
        let server = SetupServer(address) {
            SetupPage(
                facts: [(name: "Agent", value: version), (name: "Enrolled", value: "no")],
                entered: ["tenant": settings.tenant, "device": settings.device])
        } take: { form in
            guard form.authority != nil || settings.serverCA != nil || ServerPin(state: settings.state).isSet else {
                throw SetupForm.Fault(message: "server-ca is missing.")
            }
            try SetupStore(state: settings.state).keep(form)
            done.ring()
        }
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { await server.keepRunning(on: group, log: AgentLog()) }
            tasks.addTask {
                await done.wait(nil)
                // The answer goes first.
                try await Task.sleep(for: .seconds(1))
            }
            _ = try await tasks.next()
            tasks.cancelAll()
        }
    }
}
