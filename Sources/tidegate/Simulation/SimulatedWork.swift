import Agent
import Base

/// How simulated devices take to their tasks.
struct SimulatedWork: Sendable {
    /// How long a task takes.
    var time: Duration
    /// How many of a hundred devices fail at every install.
    var failing: Int
    /// How many of a hundred devices take every install and never say what became of it.
    var mute: Int

    /// What becomes of installs on one device.
    enum Fate { case succeeds, fails, falls }

    /// The fate of the device at this place among the fleet's: spread evenly, and the same in each run.
    func fate(of index: Int) -> Fate {
        // 61 has no divisor in common with 100, so each hundred devices meet each of the numbers once.
        let place = index * 61 % 100
        return place < failing ? .fails : place < failing + mute ? .falls : .succeeds
    }
}

/// One simulated device's calls for work over HTTPS, and what it says of its tasks.
struct SimulatedWorker: Sendable {
    let fleet: SimulatedFleet
    let work: SimulatedWork
    let name: String
    let index: Int

    /// Calls at the server's pace until cancelled.
    func live(as identity: DeviceIdentity) async {
        let calls = ServerCalls(
            client: HTTPSClient(server: fleet.server, group: fleet.group), tenant: fleet.tenant, identity: identity)
        /// What it has begun and will not speak of again.
        var silent: Set<Int64> = []
        while !Task.isCancelled {
            var pause: Int64 = 10
            do {
                let heartbeat = try await calls.heartbeat()
                pause = heartbeat.pause
                for task in heartbeat.tasks {
                    guard let id = task["id"]?.integer, !silent.contains(id) else { continue }
                    if try await !perform(task, id, calls) { silent.insert(id) }
                }
            } catch is CancellationError {
                return
            } catch {
                guard !Task.isCancelled else { return }
                fleet.counts.refused(name, error)
            }
            try? await Task.sleep(for: .seconds(pause))
        }
    }

    /// Does a task; false when the device falls silent over it.
    private func perform(_ task: JSONValue, _ id: Int64, _ calls: ServerCalls) async throws -> Bool {
        if task["cancel"] == .bool(true) {
            try await calls.tell(["state": "cancelled"], of: id)
            return true
        }
        try await calls.tell(["state": "running"], of: id)
        let fate = task["type"]?.string == "install" ? work.fate(of: index) : .succeeds
        if fate == .falls { return false }
        try await Task.sleep(for: work.time)
        let status: JSONValue =
            fate == .fails
            ? ["state": "failed", "code": 1, "details": ["the simulated install does not succeed on this device"]]
            : ["state": "succeeded"]
        if try await calls.tell(status, of: id) { fleet.counts.worked.add() }
        return true
    }
}
