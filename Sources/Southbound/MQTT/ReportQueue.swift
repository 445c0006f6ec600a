public import Base
public import Fleet
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

/// The reports of all MQTT connections on their way to the database: many in one transaction, each answered on its own
/// connection's loop when it is on disk, those of one connection in their order.
///
/// No loop waits. The queue is bounded; a connection whose report finds no room keeps it, reads nothing more, and is
/// told when there is room. While one group is written the next one gathers, so the groups grow with the load.
public final class ReportQueue: Service, Sendable {
    /// A connection that reports, on its own loop.
    protocol Reporter: AnyObject, Sendable {
        var eventLoop: any EventLoop { get }
        /// What became of the oldest of the reports that were accepted from it.
        func kept(_ outcomes: [ReportOutcome])
        /// There may be room for the report that found none: it is handed in again, or ``ReportQueue/passOn()`` called.
        func roomCame()
    }

    private struct Job {
        var report: DeviceReport
        var reporter: any Reporter
    }

    private struct Waiting {
        var jobs = CircularBuffer<Job>()
        /// The reports that wait or are being written, and their bytes.
        var count = 0
        var bytes = 0
        /// Those whose report found no room, the first first.
        var shutOut = CircularBuffer<any Reporter>()
        var isClosed = false
    }

    private let waiting = Mutex(Waiting())
    private let wake = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let limits: SouthboundLimits
    private let pauses: ClosedRange<Duration>
    private let groups: Counter
    private let logger: Logger
    private let keep: @Sendable ([DeviceReport]) async throws(Refusal) -> [ReportOutcome]

    /// A queue before `keep`, which writes a group of reports or throws when it may work later, after one of `pauses`.
    public init(
        limits: SouthboundLimits = SouthboundLimits(),
        pauses: ClosedRange<Duration> = .milliseconds(100)...(.seconds(5)), metrics: Metrics, logger: Logger,
        keep: @escaping @Sendable ([DeviceReport]) async throws(Refusal) -> [ReportOutcome]
    ) {
        self.limits = limits
        self.pauses = pauses
        self.logger = logger
        self.keep = keep
        groups = metrics.counter("tidegate_report_groups_total", "Groups of devices' reports written to the database.")
        metrics.gauge("tidegate_reports_waiting", "Reports of devices that wait to be written.") { [weak self] in
            Double(self?.waiting.withLock { $0.count } ?? 0)
        }
    }

    /// The most reports of one connection that are here at once.
    var perConnection: Int { limits.reportsPerConnection }

    /// Takes a report; false when there is no room, and then the reporter is told when there is.
    func submit(_ report: DeviceReport, from reporter: any Reporter) -> Bool {
        let isAccepted = waiting.withLock { waiting in
            guard !waiting.isClosed, waiting.count < limits.reports, waiting.bytes < limits.reportBytes else {
                waiting.shutOut.append(reporter)
                return false
            }
            waiting.jobs.append(Job(report: report, reporter: reporter))
            waiting.count += 1
            waiting.bytes += report.size
            return true
        }
        if isAccepted { wake.continuation.yield() }
        return isAccepted
    }

    // MARK: - Writing

    /// Writes until the server stops, and then what is still here.
    public func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            for await _ in wake.stream { await writeAll() }
            await writeAll()
        } onCancelOrGracefulShutdown: {
            self.close()
        }
    }

    private func close() {
        waiting.withLock { $0.isClosed = true }
        wake.continuation.finish()
    }

    private func writeAll() async {
        while true {
            let group = waiting.withLock { waiting in
                let count = min(waiting.jobs.count, limits.reportsInGroup)
                defer { waiting.jobs.removeFirst(count) }
                return Array(waiting.jobs.prefix(count))
            }
            guard !group.isEmpty else { return }
            await write(group)
        }
    }

    private func write(_ group: [Job]) async {
        let reports = group.map(\.report)
        var pause = pauses.lowerBound
        while true {
            do throws(Refusal) {
                answer(group, try await keep(reports))
                groups.add()
                return release(group)
            } catch {
                logger.warning("reports of devices wait for the database", metadata: ["error": "\(error)"])
            }
            // When the server stops meanwhile, the devices were told nothing and will send again.
            guard !waiting.withLock({ $0.isClosed }) else { return release(group) }
            try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
            pause = min(pause * 2, pauses.upperBound)
        }
    }

    /// Gives the room back, to those who found none before.
    private func release(_ group: [Job]) {
        let admitted = waiting.withLock { waiting in
            waiting.count -= group.count
            waiting.bytes -= group.reduce(0) { $0 + $1.report.size }
            let count = min(waiting.shutOut.count, max(limits.reports - waiting.count, 0))
            defer { waiting.shutOut.removeFirst(count) }
            return Array(waiting.shutOut.prefix(count))
        }
        for reporter in admitted { reporter.eventLoop.execute { reporter.roomCame() } }
    }

    /// Lets the next one in instead of a reporter that is gone.
    func passOn() {
        guard let reporter = waiting.withLock({ $0.shutOut.popFirst() }) else { return }
        reporter.eventLoop.execute { reporter.roomCame() }
    }

    /// Hands the outcomes to their connections, one hop for each loop.
    private func answer(_ group: [Job], _ outcomes: [ReportOutcome]) {
        var order: [ObjectIdentifier] = []
        var answers: [ObjectIdentifier: (reporter: any Reporter, outcomes: [ReportOutcome])] = [:]
        for (job, outcome) in zip(group, outcomes) {
            let key = ObjectIdentifier(job.reporter)
            if answers[key] == nil { order.append(key) }
            answers[key, default: (job.reporter, [])].outcomes.append(outcome)
        }
        var loops: [ObjectIdentifier: (loop: any EventLoop, answers: [(any Reporter, [ReportOutcome])])] = [:]
        for key in order {
            guard let answer = answers[key] else { continue }
            let loop = answer.reporter.eventLoop
            loops[ObjectIdentifier(loop), default: (loop, [])].answers.append(answer)
        }
        for (loop, answers) in loops.values {
            loop.execute { for (reporter, outcomes) in answers { reporter.kept(outcomes) } }
        }
    }
}
