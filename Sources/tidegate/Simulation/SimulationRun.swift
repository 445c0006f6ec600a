import Agent
import Base
import NIOCore
import ServiceLifecycle

/// A simulated fleet with its progress, until its time is over or it is stopped.
struct SimulationRun: Service {
    var fleet: SimulatedFleet
    var duration: Duration?
    /// The time between two lines.
    var pace: Duration
    var show: @Sendable (SimulationProgress) -> Void

    func run() async {
        let clock = ContinuousClock()
        let start = clock.now
        await withTaskGroup { tasks in
            tasks.addTask { await fleet.run() }
            tasks.addTask {
                await cancelWhenGracefulShutdown {
                    let end = duration.map { start + $0 }
                    while !Task.isCancelled, end.map({ clock.now < $0 }) ?? true {
                        let next = end.map { min(clock.now + pace, $0) } ?? (clock.now + pace)
                        try? await Task.sleep(until: next, clock: .continuous)
                        show(fleet.counts.progress(of: fleet.members.count, after: clock.now - start))
                    }
                }
            }
            // Whichever ends first ends the other: the time is over, or the program is to stop.
            _ = await tasks.next()
            tasks.cancelAll()
        }
    }
}
