import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
public import ServiceLifecycle
import SignIn
import Storage
import Synchronization
import Telemetry
import Trust

/// A bulk run came further, or ended.
struct BulkStepped: Event, Hashable {
    let tenant: TenantID
}

/// Works through bulk runs in the background, in turns of some hundred devices for each, with the rights of whoever
/// began them: what these lose meanwhile ends the run.
///
/// How far a run came is written with each step. Rights are proved by a session, which memory alone holds: after a
/// restart a run rests until somebody lets it go on.
public final class BulkRuns: Service {
    private struct Job: Sendable {
        let run: BulkRun
        let change: BulkChange
        let tenant: TenantID
        let principal: Principal
        var after: DeviceID?
        var failures = 0
    }

    private struct Stopped: Error {}

    private let database: Database
    private let fleet: Fleet
    private let bus: Bus
    private let clock: WallClock
    private let jobs = Mutex<[Job]>([])
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(database: Database, fleet: Fleet, bus: Bus, clock: WallClock) {
        (self.database, self.fleet, self.bus, self.clock) = (database, fleet, bus, clock)
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What this process is at work on. A run that ends is kept as ended first: whoever asks this before they read the
    /// rows never takes one that has just ended for one that rests.
    var underWay: Set<BulkRun.ID> { jobs.withLock { Set($0.map(\.run.id)) } }

    /// Takes a run up; it must be marked as running.
    func take(_ run: BulkRun, in tenant: TenantID, by principal: Principal) {
        guard let change = run.change else { return }
        jobs.withLock { jobs in
            guard !jobs.contains(where: { $0.run.id == run.id }) else { return }
            jobs.append(
                Job(run: run, change: change, tenant: tenant, principal: principal, after: run.position))
        }
        wake.yield()
    }

    /// Works until the server stops.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            for await _ in wakes { while !Task.isCancelled, await turn() {} }
        }
    }

    /// One step of the run that has waited longest; false when there is none.
    func turn() async -> Bool {
        guard var job = jobs.withLock({ $0.first }) else { return false }
        let began = ContinuousClock.now
        let isOver = await step(&job)
        let next = job
        jobs.withLock { jobs in
            jobs.removeAll { $0.run.id == next.run.id }
            if !isOver { jobs.append(next) }
        }
        bus.publish(BulkStepped(tenant: next.tenant))
        // Others write, too: a run takes four fifths of the time at most.
        if !isOver { try? await Task.sleep(for: (ContinuousClock.now - began) / 4) }
        return true
    }

    /// Whether the run is over.
    private func step(_ job: inout Job) async -> Bool {
        let (run, clock) = (job.run, clock)
        // Identifiers begin with the time at which they were made.
        let until = DeviceID(high: run.id.high | 0xFFF, low: .max)
        do {
            let step = try await fleet.step(
                job.change, BulkRange(filter: run.filter, after: job.after, until: until),
                limit: FleetLimits.bulkStep, in: job.tenant, by: job.principal
            ) { step, tx in
                guard try BulkRunRow.keep(step, of: run.id, at: clock.now, in: tx) else { throw Stopped() }
            }
            job.after = step.last ?? job.after
            job.failures = 0
            return step.isEnd
        } catch is Stopped {
            return true
        } catch let refusal as Refusal where refusal.kind != .unavailable && refusal.kind != .conflict {
            await fail(job, refusal.message)
            return true
        } catch {
            job.failures += 1
            guard job.failures >= ConsoleLimits.bulkFailures else { return false }
            await fail(job, "The server could not go on; its log says more. What is counted here is done.")
            return true
        }
    }

    private func fail(_ job: Job, _ words: String) async {
        let (id, now) = (job.run.id, clock.now)
        // When not even that can be written, the run is shown as resting after the next start.
        try? await database.tenant(job.tenant).write { tx -> Void in
            _ = try BulkRunRow.set(id, from: [.running], to: .failed, fault: words, at: now, in: tx)
        }
    }
}
