public import Base
public import Fleet
public import Logging
import NIOCore
import Operations

/// What all ways of getting work share: who may call how often, the queue of what is not answered at once, and the
/// writers that keep what devices say.
public final class DeviceDesk: Sendable {
    let operations: Operations
    let fleet: Fleet
    let directory: DeviceDirectory
    let clock: WallClock
    let logger: Logger
    let feedback: GroupWriter<TaskFeedback, FeedbackOutcome>
    let reports: GroupWriter<DeviceReport, ReportOutcome>
    let envelopes: GroupWriter<EnvelopeRequest, [DeviceEnvelope]>
    let news = DesiredNews()
    private let queue: DeviceWorkQueue
    private let rates = DeviceRates()
    private let refused: @Sendable (_ source: String, _ code: String, _ tenant: TenantID?) -> Void

    /// The desk, if there is work for devices at all.
    public init?(
        directory: DeviceDirectory, services: DeviceServices, limits: SouthboundLimits, metrics: Metrics,
        clock: WallClock = .system, logger: Logger
    ) {
        guard let operations = services.operations, let fleet = services.fleet else { return nil }
        self.operations = operations
        self.fleet = fleet
        self.directory = directory
        self.clock = clock
        self.logger = logger
        refused = services.refused
        queue = DeviceWorkQueue(
            atOnce: limits.deviceWorkAtOnce, waiting: limits.deviceWorkWaiting, sharesPlaces: false)
        let groups = metrics.counter(
            "tidegate_device_groups_total", "Groups of devices' words that were written to the database.")
        feedback = GroupWriter(
            most: limits.deviceWorkAtOnce, inGroup: limits.feedbackInGroup, groups: groups, logger: logger
        ) { try await operations.take($0) }
        reports = GroupWriter(
            most: limits.deviceWorkAtOnce, inGroup: limits.reportsInGroup, groups: groups, logger: logger
        ) { try await fleet.keep($0) }
        envelopes = GroupWriter(
            most: limits.deviceWorkAtOnce, inGroup: limits.envelopesInGroup, groups: groups, logger: logger
        ) { try await operations.handOut($0) }
    }

    /// Reads what devices are wanted to be; call it before they can call.
    func learn() async throws {
        for (device, version) in try await fleet.desiredVersions() { news.add(version, for: device) }
    }

    /// Works until `close` or cancellation, and then on what is at hand.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.feedback.run() }
            group.addTask { await self.reports.run() }
            group.addTask { await self.envelopes.run() }
            await queue.run()
            feedback.close()
            reports.close()
            envelopes.close()
        }
    }

    /// Ends `run` once the work at hand is done.
    func close() { queue.close() }

    /// Notes a refusal that concerns trust.
    func tell(_ source: String, _ code: String, _ tenant: TenantID?) { refused(source, code, tenant) }

    /// A refusal when the device calls more often than its plan allows.
    func rate(of device: AdmittedDevice) -> Refusal? {
        guard let plan = directory.plan(of: device.tenant),
            let wait = rates.take(device.device, bytes: 0, plan: plan, at: NIODeadline.now().uptimeNanoseconds)
        else { return nil }
        return Refusal(.limited, "device.rate", "The device calls too often; call again later.", retryAfter: wait)
    }

    /// Counts the bytes of a body that has come; a device that sent more than its plan allows is refused from then on,
    /// until that is paid back.
    func pay(_ bytes: Int, by device: AdmittedDevice) {
        guard bytes > 0, let plan = directory.plan(of: device.tenant) else { return }
        rates.pay(device.device, bytes: bytes, plan: plan, at: NIODeadline.now().uptimeNanoseconds)
    }

    /// Does the work of a request where no event loop waits; the future succeeds on the loop. `refused` makes the answer
    /// to what could not be done.
    func submit(
        from address: ClientAddress, on eventLoop: any EventLoop, refused: @escaping @Sendable (Refusal) -> Answer,
        _ work: @escaping @Sendable () async throws -> Answer
    ) -> EventLoopFuture<Answer> {
        submit(from: address, on: eventLoop, turnedAway: .stopping, refused: refused, work)
    }

    /// Does work where no event loop waits; the future succeeds on the loop.
    func attempt<Value: Sendable>(
        from address: ClientAddress, on eventLoop: any EventLoop, _ work: @escaping @Sendable () async throws -> Value
    ) -> EventLoopFuture<Result<Value, Refusal>> {
        submit(from: address, on: eventLoop, turnedAway: .failure(Self.later), refused: { .failure($0) }) {
            .success(try await work())
        }
    }

    private func submit<Value: Sendable>(
        from address: ClientAddress, on eventLoop: any EventLoop, turnedAway: Value,
        refused: @escaping @Sendable (Refusal) -> Value, _ work: @escaping @Sendable () async throws -> Value
    ) -> EventLoopFuture<Value> {
        let future = queue.submit(from: address, on: eventLoop, turnedAway: turnedAway) { [logger] in
            do {
                return try await work()
            } catch let refusal as Refusal {
                return refused(refusal)
            } catch {
                logger.error("a device's request failed", metadata: ["error": "\(error)"])
                return refused(Self.later)
            }
        }
        let busy = Refusal(.limited, "device.busy", "Too many devices ask at once.", retryAfter: .seconds(5))
        return future ?? eventLoop.makeSucceededFuture(refused(busy))
    }

    private static var later: Refusal { Refusal(.unavailable, "device.later", "The server can not do this now.") }

    // MARK: - Words about tasks

    /// Keeps what a device says of a task; throws what is wrong with that.
    func take(_ status: StatusReport, of number: Int64, from device: AdmittedDevice) async throws {
        if let task = operations.board.task(number, of: device.device) {
            // That it was ended says who was asked to end it; a repetition finds the task closed.
            if status.report == .cancelled, task.state != .cancelling { throw Self.notCancelling }
            // Nobody can be at what it was not given.
            if status.report == .taken || status.report == .progress,
                !operations.board.isOffered(task, to: device.device)
            {
                throw Self.notGiven
            }
        }
        switch try await feedback.keep(status.feedback(of: number, from: device)) {
        case .kept: break
        case .closed, .former, .late: throw Self.closed
        case .unknown: throw Self.unknown
        }
    }

    /// Absent and foreign look the same.
    static let unknown = Refusal(.notFound, "task.unknown", "There is no such task for this device.")
    static let notGiven = Refusal(.notFound, "task.notGiven", "The device has not been given this task.")
    static let closed = Refusal(.conflict, "task.closed", "The task is over, and ended otherwise.")
    static let notCancelling = Refusal(.conflict, "task.notCancelling", "Nobody wants to end this task.")
}
