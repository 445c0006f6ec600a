import Base
import Fleet
import Logging
import NIOCore
import NIOHTTP1
import Operations
import Synchronization
import Trust

/// hawkBit's Direct Device Integration API v1: who may ask what. Polls are answered at once, from memory alone; all else
/// is worked on where no event loop waits.
///
/// Clients know installs only, so tasks of other types are not offered here. They also take no other status than 200 for
/// a success, so nothing here answers 201 or 204.
final class DDIService: Sendable {
    typealias Plan = HTTPExchange<DeviceWork>.Plan

    /// What becomes of a request.
    struct Decision {
        var plan: Plan
        /// Who polls with it, if it is a poll.
        var caller: DDICaller?
    }

    let operations: Operations
    let fleet: Fleet
    let clock: WallClock
    let counters: DDICounters
    let logger: Logger
    let attributes = AttributesGiven()
    let feedback: GroupWriter<TaskFeedback, FeedbackOutcome>
    let reports: GroupWriter<DeviceReport, ReportOutcome>
    let downloads: ConnectionCounter
    let directory: DeviceDirectory
    private let queue: DeviceWorkQueue
    private let rates = DeviceRates()
    private let ready = Mutex<[Int64: Answer]>([:])
    private let tell: @Sendable (_ source: String, _ code: String, _ tenant: TenantID?) -> Void

    /// The update clients' side, if there is work for devices at all.
    init?(
        directory: DeviceDirectory, services: DeviceServices, limits: SouthboundLimits, metrics: Metrics,
        clock: WallClock, logger: Logger
    ) {
        guard let operations = services.operations, let fleet = services.fleet else { return nil }
        self.operations = operations
        self.fleet = fleet
        self.directory = directory
        self.clock = clock
        self.logger = logger
        tell = services.refused
        counters = DDICounters(metrics)
        downloads = ConnectionCounter(limit: limits.downloads)
        queue = DeviceWorkQueue(
            atOnce: limits.deviceWorkAtOnce, waiting: limits.deviceWorkWaiting, sharesPlaces: false)
        feedback = GroupWriter(
            most: limits.deviceWorkAtOnce, inGroup: limits.feedbackInGroup, groups: counters.groups, logger: logger
        ) { try await operations.take($0) }
        reports = GroupWriter(
            most: limits.deviceWorkAtOnce, inGroup: limits.reportsInGroup, groups: counters.groups, logger: logger
        ) { try await fleet.keep($0) }
        metrics.gauge("tidegate_downloads_open", "Downloads of artifacts under way.") { [downloads] in
            Double(downloads.count)
        }
    }

    /// Works until `close` or cancellation, and then on what is at hand.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.feedback.run() }
            group.addTask { await self.reports.run() }
            await queue.run()
            feedback.close()
            reports.close()
        }
    }

    /// Ends `run` once the work at hand is done.
    func close() { queue.close() }

    // MARK: - Deciding

    /// The answer to a poll that is the same as the one before; nil when it is another request.
    func answer(again head: HTTPRequestHead, _ caller: DDICaller) -> Answer? {
        guard head.method == .GET, head.uri == caller.target, head.headers.first(name: "host") == caller.host,
            caller.authorization == nil
                || caller.authorization == head.headers.first(name: "authorization")
                    && directory.isAdmitted(caller.device)
        else { return nil }
        if let refusal = rate(of: caller.device) { return refused(refusal) }
        return poll(caller)
    }

    /// What to do with a request, from its head alone.
    func decide(
        _ path: DDIPath, _ head: HTTPRequestHead, _ device: AdmittedDevice?, _ address: ClientAddress
    ) -> Decision {
        let authorization = device == nil ? head.headers.first(name: "authorization") : nil
        do throws(Refusal) {
            let sender = try sender(device, authorization)
            guard sender.tenantSlug == path.tenant,
                path.controller == sender.name.text || path.controller == sender.device.text
            else { return Decision(plan: .answer(refused(Self.unknown))) }
            guard sender.opens(.maintenance) else {
                tell(address.text, "device.channel", sender.tenant)
                throw Refusal(
                    .forbidden, "device.channel",
                    "This credential is for the streaming channel. Ask for work with the maintenance one.")
            }
            guard path.resource.methods.contains(head.method.rawValue) else {
                let allow = path.resource.methods.joined(separator: ", ")
                return Decision(plan: .answer(.bare(.methodNotAllowed, headers: "Allow: \(allow)\r\n")))
            }
            guard let host = head.headers.first(name: "host"),
                let base = DDICaller.base(host: host, prefix: path.prefix)
            else { throw Refusal(.invalid, "ddi.host", "Name the server in the field Host.") }
            if let refusal = rate(of: sender) { throw refusal }
            guard path.resource == .poll else {
                let request = DDIRequest(
                    device: sender, base: base, resource: path.resource, history: path.history,
                    conditions: DDIArtifactRequest(head))
                return Decision(
                    plan: .collect(.ddi(request), limit: path.resource.hasBody ? Limits.ddiBodyBytes : 0))
            }
            let caller = DDICaller(
                target: head.uri, host: host, authorization: authorization, device: sender, base: base)
            return Decision(plan: .answer(poll(caller)), caller: caller)
        } catch {
            if error.kind == .unauthenticated { tell(address.text, "device.refused", nil) }
            return Decision(plan: .answer(refused(error)))
        }
    }

    /// The device that a certificate or an access token stands for.
    private func sender(_ device: AdmittedDevice?, _ authorization: String?) throws(Refusal) -> AdmittedDevice {
        if let device { return device }
        switch Authorization(authorization) {
        case .target(let token): return try directory.admit(accessToken: token)
        case .gateway:
            throw Refusal(
                .unauthenticated, "ddi.gatewayToken",
                "Gateway tokens, which speak for every device, are not accepted. Use the device's certificate.")
        default: throw Refusal(.unauthenticated, "device.noCredential", "Present the device's certificate.")
        }
    }

    /// A refusal when the device calls more often than its plan allows.
    private func rate(of device: AdmittedDevice) -> Refusal? {
        guard let plan = directory.plan(of: device.tenant),
            let wait = rates.take(device.device, bytes: 0, plan: plan, at: NIODeadline.now().uptimeNanoseconds)
        else { return nil }
        return Refusal(.limited, "device.rate", "The device calls too often; call again later.", retryAfter: wait)
    }

    // MARK: - Polls

    private func poll(_ caller: DDICaller) -> Answer {
        counters.polls.add()
        let device = caller.device
        let task = operations.board.next(for: device.device, of: .install)
        let now = clock.now
        fleet.heartbeats.called(device.device, at: now)
        let pause = fleet.heartbeats.pause(of: device, isBusy: task != nil, at: now)
        let isAsked = !attributes.contains(device.device)
        guard task != nil || isAsked else { return emptyPoll(pause) }
        var links: [(name: String, path: String)] = []
        if let task {
            let number = task.number
            switch task.state {
            case .cancelling: links.append(("cancelAction", "/cancelAction/\(number)"))
            default: links.append(("deploymentBase", "/deploymentBase/\(number)?c=\(number)"))
            }
        }
        if isAsked { links.append(("configData", "/configData")) }
        return Self.json(DDIDocuments(base: caller.base).poll(pause: pause, links: links))
    }

    /// The answer to a poll with nothing to do, made once for each length of a pause.
    private func emptyPoll(_ pause: Int64) -> Answer {
        ready.withLock { ready in
            if let answer = ready[pause] { return answer }
            if ready.count >= Limits.readyPolls { ready.removeAll(keepingCapacity: true) }
            let answer = Self.json(DDIDocuments.emptyPoll(pause: pause))
            ready[pause] = answer
            return answer
        }
    }

    // MARK: - Doing

    /// Does the work; the future succeeds on the loop.
    func perform(
        _ request: DDIRequest, body: ByteBuffer, address: ClientAddress, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Answer> {
        let future = queue.submit(from: address, on: eventLoop) { [self] in
            do {
                return try await answer(request, Array(body.readableBytesView))
            } catch let refusal as Refusal {
                if refusal.code == Self.foreign.code { tell(address.text, refusal.code, request.device.tenant) }
                return refused(refusal)
            } catch {
                logger.error("an update client's request failed", metadata: ["error": "\(error)"])
                return refused(Refusal(.unavailable, "device.later", "The server can not do this now."))
            }
        }
        let busy = Refusal(.limited, "device.busy", "Too many devices ask at once.", retryAfter: .seconds(5))
        return future ?? eventLoop.makeSucceededFuture(refused(busy))
    }

    // MARK: - Answers

    private func refused(_ refusal: Refusal) -> Answer {
        counters.refused(refusal.code).add()
        switch refusal.code {
        case Self.closed.code: return .problem(refusal, status: .gone)
        case Self.notCancelling.code: return .problem(refusal, status: .methodNotAllowed)
        default: break
        }
        var answer = Answer.problem(refusal)
        if refusal.kind == .unauthenticated { answer.headers += "WWW-Authenticate: TargetToken\r\n" }
        return answer
    }

    static func json(_ body: [UInt8]) -> Answer {
        Answer(status: .ok, contentType: "application/json", body: body)
    }

    /// Absent and foreign look the same.
    static let unknown = Refusal(.notFound, "ddi.unknown", "There is no such thing, or it is not for this device.")
    /// Who asks for a task that is not its own may be trying numbers.
    static let foreign = Refusal(.notFound, "task.foreign", "There is no such action for this device.")
    static let closed = Refusal(.conflict, "task.closed", "The action is over, and ended otherwise.")
    static let notCancelling = Refusal(.conflict, "task.notCancelling", "Nobody wants to end this action.")
}
