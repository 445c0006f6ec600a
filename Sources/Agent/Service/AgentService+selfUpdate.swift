import Base

/// Installing the agent itself: it ends, starts as the new one, and says so once that has reached the server.
extension AgentService {
    /// Fetches the new agent and has it started, or, after that, judges how it went.
    func replaceSelf(_ task: AgentTask, _ request: EndRequest) async throws -> TaskWorker.Result {
        guard let release = task.release, case .array(let artifacts)? = release["artifacts"], artifacts.count == 1,
            let artifact = artifacts.first.flatMap(ReleaseArtifact.init), let identity = kept?.identity
        else { return .ended(TaskOutcome(.refused, details: ["the task names no release of one file"])) }
        let update = SelfUpdate(state: settings.state)
        // By what is on disk, not by how the last run of the agent ended: a new agent may have ended in any way.
        switch try update.standing(of: artifact.sha256, for: task.id) {
        case .unknown:
            let download = Download(
                artifact: artifact, directory: settings.state + "/downloads", client: client, identity: identity)
            let progress = progress
            try await download.fetch(until: request) { progress.set(task.id, $0, of: max(artifact.size, 1)) }
            let version = version
            let problem = try await blocking {
                try update.put(download.path, sha256: artifact.sha256, version: version, task: task.id)
            }
            if let problem { return .ended(TaskOutcome(.failed, details: [problem])) }
            wantsRestart = true
            return .continues
        case .waits:
            wantsRestart = true
            return .continues
        case .failed:
            return .ended(
                TaskOutcome(.failed, details: ["the new agent did not reach the server; version \(version) is back"]))
        case .runs: break
        }
        // A new agent that does not get so far ends here, and is started again a few times only.
        let deadline = ContinuousClock.now + AgentLimits.selfUpdatePatience
        while !hasCalled, !Task.isCancelled {
            guard .now < deadline else {
                wantsRestart = true
                return .continues
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        guard hasCalled else { return .continues }
        try update.confirm()
        try noteInstalled(release)
        return .ended(TaskOutcome(.succeeded, details: ["version \(version)"]))
    }

    /// Notes which release of its component is on the device now.
    func noteInstalled(_ release: JSONValue) throws {
        guard let component = release["component"]?.string else { return }
        try journal.write { $0.installed[component] = release["counter"]?.integer ?? 0 }
        toldFacts = nil
    }
}
