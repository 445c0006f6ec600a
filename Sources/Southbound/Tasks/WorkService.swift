import Base
import Fleet
import NIOCore
import NIOHTTP1
import Operations
import Trust

/// The device protocol over HTTPS: heartbeats with the work that waits, and what devices say of it.
///
/// A heartbeat with nothing to do is answered on its event loop, from memory alone.
final class WorkService: Sendable {
    typealias Plan = HTTPExchange<DeviceWork>.Plan

    /// What becomes of a request.
    struct Decision {
        var plan: Plan
        /// Who calls with it, if it is a heartbeat.
        var caller: PollCaller?
    }

    let desk: DeviceDesk
    private let counters: WorkCounters
    private let ready = ReadyPolls { Array("{\"pause\":\($0)}".utf8) }

    init(_ desk: DeviceDesk, metrics: Metrics) {
        self.desk = desk
        counters = WorkCounters(metrics)
    }

    // MARK: - Deciding

    /// What to do with a heartbeat that is the same as the one before.
    func plan(again caller: PollCaller) -> Plan {
        if let refusal = desk.rate(of: caller.device) { return .answer(refused(refusal)) }
        return heartbeat(caller)
    }

    /// What to do with a request, from its head alone.
    func decide(
        _ tenant: TenantSlug, _ resource: WorkResource, _ head: HTTPRequestHead, _ device: AdmittedDevice?,
        _ address: ClientAddress
    ) -> Decision {
        let authorization = device == nil ? head.headers.first(name: "authorization") : nil
        do throws(Refusal) {
            let sender = try sender(device, authorization)
            // Before anything else, so that nothing that is refused can be asked for without end.
            if let refusal = desk.rate(of: sender) { throw refusal }
            // Another tenant's paths are not there for it.
            guard sender.tenantSlug == tenant else {
                desk.tell(address.text, "device.foreign", sender.tenant)
                return Decision(plan: .answer(.noPath))
            }
            guard sender.opens(.maintenance) else {
                desk.tell(address.text, "device.channel", sender.tenant)
                throw Refusal(
                    .forbidden, "device.channel",
                    "This credential is for the streaming channel. Ask for work with the maintenance one.")
            }
            guard head.method.rawValue == resource.method else {
                return Decision(plan: .answer(.notAllowed(but: resource.method)))
            }
            guard let host = head.headers.first(name: "host"),
                let base = PollCaller.base(
                    host: host, prefix: "/\(tenant.text)/controller/v1/\(sender.device.text)")
            else { throw Refusal(.invalid, "device.host", "Name the server in the field Host.") }
            guard resource == .heartbeat else {
                let request = WorkRequest(device: sender, resource: resource, base: base)
                return Decision(plan: .collect(.work(request), limit: resource.bodyBytes))
            }
            let caller = PollCaller(
                poll: .heartbeat, head, host: host, authorization: authorization, device: sender, base: base)
            return Decision(plan: heartbeat(caller), caller: caller)
        } catch {
            if error.kind == .unauthenticated { desk.tell(address.text, "device.refused", nil) }
            return Decision(plan: .answer(refused(error)))
        }
    }

    /// The device that a certificate or an access token stands for.
    private func sender(_ device: AdmittedDevice?, _ authorization: String?) throws(Refusal) -> AdmittedDevice {
        if let device { return device }
        switch Authorization(authorization) {
        case .bearer(let token), .target(let token): return try desk.directory.admit(accessToken: token)
        default: throw Refusal(.unauthenticated, "device.noCredential", "Present the device's certificate.")
        }
    }

    private func heartbeat(_ caller: PollCaller) -> Plan {
        counters.heartbeats.add()
        let device = caller.device
        let now = desk.clock.now
        desk.fleet.heartbeats.called(device.device, at: now)
        let hasWork = desk.operations.board.hasWork(for: device.device)
        let news = desk.news.version(for: device.device)
        if hasWork {
            return .collect(.work(WorkRequest(device: device, resource: .heartbeat, base: caller.base)), limit: 0)
        }
        let pause = desk.fleet.heartbeats.pause(of: device, isBusy: news != nil, at: now)
        guard let news else { return .answer(ready.answer(pause)) }
        return .answer(.ok(Self.told(pause, news)))
    }

    // MARK: - Doing

    /// Does the work; the future succeeds on the loop.
    func perform(
        _ request: WorkRequest, body: ByteBuffer, address: ClientAddress, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Answer> {
        desk.pay(body.readableBytes, by: request.device)
        return desk.submit(
            from: address, on: eventLoop,
            refused: { [self] refusal in
                // Who speaks of a task that is not its own may be trying numbers.
                if refusal.code == DeviceDesk.unknown.code {
                    desk.tell(address.text, "task.foreign", request.device.tenant)
                }
                return refused(refusal)
            }
        ) { [self] in try await answer(request, Array(body.readableBytesView)) }
    }

    private func answer(_ request: WorkRequest, _ body: [UInt8]) async throws -> Answer {
        let device = request.device
        switch request.resource {
        case .heartbeat: return try await handOut(request)
        case .status(let number): return try await take(StatusReport(body), of: number, from: device)
        case .keys: return .ok(try await desk.operations.maintenanceKeys(of: device.tenant))
        case .desired:
            counters.reports.add()
            return .ok(try await desk.desired(for: device))
        case .reported:
            counters.reports.add()
            _ = try await desk.keep(.reported(body), from: device)
            return .ok([:])
        case .events:
            if case .kept(let count) = try await desk.keep(.events(body), from: device), count > 1 {
                // The request was counted when it came; each further event in it counts like one.
                for _ in 1..<count { _ = desk.rate(of: device) }
            }
            return .ok([:])
        }
    }

    private func handOut(_ request: WorkRequest) async throws -> Answer {
        let device = request.device
        let tasks = desk.operations.board.tasks(for: device.device, limit: OperationLimits.handedOut)
        let envelopes = try await desk.envelopes.keep(EnvelopeRequest(tasks, for: device, base: request.base))
        counters.tasks.add(envelopes.count)
        let pause = desk.fleet.heartbeats.pause(of: device, isBusy: !envelopes.isEmpty, at: desk.clock.now)
        var answer = Self.told(pause, desk.news.version(for: device.device))
        if !envelopes.isEmpty, case .object(var members) = answer {
            members["tasks"] = .array(envelopes.map(\.json))
            answer = .object(members)
        }
        return .ok(answer)
    }

    private func take(_ status: StatusReport, of number: Int64, from device: AdmittedDevice) async throws -> Answer {
        counters.statuses.add()
        try await desk.take(status, of: number, from: device)
        return .ok([:])
    }

    // MARK: - Answers

    private static func told(_ pause: Int64, _ news: Int64?) -> JSONValue {
        var members: [String: JSONValue] = ["pause": .integer(pause)]
        if let news { members["desired"] = ["version": .integer(news)] }
        return .object(members)
    }

    private func refused(_ refusal: Refusal) -> Answer {
        counters.refused(refusal.code).add()
        var answer = Answer.problem(refusal, status: refusal.code == DeviceDesk.closed.code ? .gone : nil)
        if refusal.kind == .unauthenticated { answer.headers += "WWW-Authenticate: Bearer\r\n" }
        return answer
    }
}

/// The instruments of the device protocol over HTTPS.
private struct WorkCounters: Sendable {
    let heartbeats: Counter
    let tasks: Counter
    let statuses: Counter
    let reports: Counter
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        heartbeats = metrics.counter("tidegate_device_heartbeats_total", "Heartbeats over HTTPS that were answered.")
        tasks = metrics.counter("tidegate_device_tasks_total", "Tasks handed to devices that called over HTTPS.")
        statuses = metrics.counter("tidegate_device_statuses_total", "Statuses of tasks that came over HTTPS.")
        reports = metrics.counter(
            "tidegate_device_reports_total", "Reported documents, and questions for desired ones, over HTTPS.")
    }

    /// The counter of requests that were refused with this code, of which there are few.
    func refused(_ code: String) -> Counter {
        metrics.counter(
            "tidegate_device_refused_total", "Requests of the device protocol that were refused.", ["code": code])
    }
}

extension Answer {
    /// This document.
    static func ok(_ json: JSONValue) -> Answer {
        Answer(status: .ok, contentType: "application/json", body: Array(json.canonical.utf8))
    }
}
