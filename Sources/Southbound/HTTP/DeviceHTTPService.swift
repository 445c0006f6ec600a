import Base
import Fleet
import Logging
import NIOCore
import NIOHTTP1
import Trust

/// What all HTTP connections of devices share: who may ask what, and who does it.
final class DeviceHTTPService: Sendable {
    typealias Plan = HTTPExchange<DeviceWork>.Plan

    let directory: DeviceDirectory
    let registry: ConnectionRegistry
    let services: DeviceServices
    let limits: SouthboundLimits
    let counters: SouthboundCounters
    let bodies: BodyBudget
    let clock: WallClock
    /// What update clients ask, and what devices ask that speak our own protocol; nil without anybody who gives work to
    /// devices.
    let ddi: DDIService?
    let work: WorkService?
    private let queue: DeviceWorkQueue
    private let logger: Logger
    private let attributes: [UInt8]

    init(
        directory: DeviceDirectory, registry: ConnectionRegistry, services: DeviceServices, queue: DeviceWorkQueue,
        limits: SouthboundLimits, counters: SouthboundCounters, clock: WallClock, logger: Logger,
        ddi: DDIService? = nil,
        work: WorkService? = nil
    ) throws {
        self.ddi = ddi
        self.work = work
        self.directory = directory
        self.registry = registry
        self.services = services
        self.queue = queue
        self.limits = limits
        self.counters = counters
        self.clock = clock
        self.logger = logger
        bodies = BodyBudget(limit: limits.bufferedBodyBytes)
        attributes = try EST.attributesBody()
    }

    // MARK: - Deciding

    /// What to do with a request, from its head alone: nobody's body is read before it is known who sends it.
    ///
    /// - Parameter caller: Who polled last on the connection, and afterwards who polls with this request, if it is a poll.
    func plan(
        _ head: HTTPRequestHead, device: AdmittedDevice?, address: ClientAddress, caller: inout PollCaller?
    ) -> Plan {
        let last = caller
        caller = nil
        // RFC 9112 section 3.2: who names no host, or two, may mean another server than the one before us thinks.
        guard head.version == .http1_0 || head.headers.lazy.count(where: { $0.name.isHost }) == 1 else {
            return .answer(.bare(.badRequest, closes: true))
        }
        if let device, !directory.isAdmitted(device) {
            refused(address, "device.refused", device.tenant)
            return .answer(.bare(.unauthorized, closes: true))
        }
        if let last, last.asksAgain(head), last.authorization == nil || directory.isAdmitted(last.device) {
            caller = last
            switch last.poll {
            case .update: if let ddi { return .answer(ddi.answer(again: last)) }
            case .heartbeat: if let work { return work.plan(again: last) }
            }
        }
        switch DeviceRoute(target: head.uri) {
        case .est(let operation, let tenant, let channel):
            guard tenant == nil || device == nil || device?.tenantSlug == tenant else { break }
            guard head.method == (operation.isRead ? .GET : .POST) else {
                return .answer(.notAllowed(but: operation.isRead ? "GET" : "POST"))
            }
            return plan(operation, tenant, channel, head, device, address)
        case .telemetry(let tenant):
            guard head.method == .POST else { return .answer(.notAllowed(but: "POST")) }
            return telemetryPlan(tenant, head, device, address)
        case .ddi(let path):
            guard let ddi else { break }
            let decision = ddi.decide(path, head, device, address)
            caller = decision.caller
            return decision.plan
        case .work(let tenant, let resource):
            guard let work else { break }
            let decision = work.decide(tenant, resource, head, device, address)
            caller = decision.caller
            return decision.plan
        case nil: break
        }
        return .answer(.noPath)
    }

    private func plan(
        _ operation: ESTOperation, _ tenant: TenantSlug?, _ channel: Trust.Channel?, _ head: HTTPRequestHead,
        _ device: AdmittedDevice?, _ address: ClientAddress
    ) -> Plan {
        // The media type is not looked at: curl, as devices' scripts use it, says that it sends a form.
        let lines = ESTLines(for: head)
        switch operation {
        case .cacerts: return .collect(.certificates(tenant ?? device?.tenantSlug, lines), limit: 0)
        case .csrattrs: return .answer(Self.encoded("application/csrattrs", attributes, lines))
        case .simpleenroll:
            switch Authorization(head.headers.first(name: "authorization")) {
            case .basic(let user, let password):
                // The token's own checksum tells what was never handed out from what has to be looked up.
                guard !user.isEmpty, Token(password) != nil else { break }
                return .collect(
                    .enrol(tenant: tenant, identifier: user, token: password, channel: channel, lines),
                    limit: EST.bodyBytes)
            case .none: return .answer(Self.asksForPassword)
            default: break
            }
            refused(address, "enrolment.refused", nil)
            return .answer(Self.asksForPassword)
        case .simplereenroll:
            guard let device, device.credential != nil else {
                refused(address, "renewal.refused", nil)
                return .answer(.bare(.forbidden))
            }
            return .collect(.renew(device, channel: channel, lines), limit: EST.bodyBytes)
        }
    }

    private func telemetryPlan(
        _ tenant: TenantSlug, _ head: HTTPRequestHead, _ device: AdmittedDevice?, _ address: ClientAddress
    ) -> Plan {
        var sender = device
        if sender == nil, case .bearer(let token) = Authorization(head.headers.first(name: "authorization")) {
            sender = try? directory.admit(accessToken: token)
        }
        guard let sender else {
            refused(address, "device.refused", nil)
            return .answer(.bare(.unauthorized, headers: "WWW-Authenticate: Bearer\r\n"))
        }
        guard sender.tenantSlug == tenant else {
            refused(address, "device.foreign", sender.tenant)
            return .answer(.noPath)
        }
        guard sender.opens(.stream) else {
            return .answer(
                .problem(
                    Refusal(
                        .forbidden, "device.channel",
                        "This certificate is for the maintenance channel. Send telemetry with the streaming one.")))
        }
        return .collect(
            .telemetry(
                sender, contentType: head.headers.first(name: "content-type"),
                contentEncoding: head.headers.first(name: "content-encoding")),
            limit: limits.telemetryBodyBytes)
    }

    // MARK: - Doing

    /// Does the work; the future succeeds on the loop.
    func perform(
        _ work: DeviceWork, body: ByteBuffer, address: ClientAddress, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Answer> {
        switch work {
        case .telemetry(let device, let contentType, let contentEncoding):
            let request = TelemetryRequest(
                device: device, contentType: contentType, contentEncoding: contentEncoding, body: body,
                eventLoop: eventLoop)
            return services.telemetry(request).hop(to: eventLoop).map { Self.answer($0) }
        case .ddi(let request):
            guard let ddi else { return eventLoop.makeSucceededFuture(.bare(.notFound)) }
            return ddi.perform(request, body: body, address: address, on: eventLoop)
        case .work(let request):
            guard let service = self.work else { return eventLoop.makeSucceededFuture(.bare(.notFound)) }
            return service.perform(request, body: body, address: address, on: eventLoop)
        case .certificates(let tenant, let lines):
            return queued(address, eventLoop) { [services] in
                Self.encoded(
                    "application/pkcs7-mime", try EST.body(certificates: await services.certificates(tenant)), lines)
            }
        case .enrol(let tenant, let identifier, let token, let channel, let lines):
            let request = EnrolmentRequest(
                tenant: tenant, identifier: identifier, token: token, body: Array(body.readableBytesView),
                channel: channel, address: address.text)
            return queued(address, eventLoop) { [services] in try Self.issued(await services.enrol(request), lines) }
        case .renew(let device, let channel, let lines):
            let request = RenewalRequest(
                device: device, body: Array(body.readableBytesView), channel: channel, address: address.text)
            return queued(address, eventLoop) { [services] in try Self.issued(await services.renew(request), lines) }
        }
    }

    private func queued(
        _ address: ClientAddress, _ eventLoop: any EventLoop, _ work: @escaping @Sendable () async throws -> Answer
    ) -> EventLoopFuture<Answer> {
        let future = queue.submit(from: address, on: eventLoop, turnedAway: .stopping) { [self] in
            do {
                return try await work()
            } catch let refusal as Refusal {
                return answer(refusal, address)
            } catch {
                logger.error("enrolment failed", metadata: ["error": "\(error)", "address": "\(address)"])
                return Self.busy
            }
        }
        return future ?? eventLoop.makeSucceededFuture(Self.busy)
    }

    /// The answer to a refused enrolment. Why a credential does not count, or whether the device exists, is told to
    /// nobody; what is wrong with the request itself helps, and gives nothing away.
    private func answer(_ refusal: Refusal, _ address: ClientAddress) -> Answer {
        switch refusal.kind {
        case .unauthenticated, .forbidden, .conflict:
            logger.info("enrolment refused", metadata: ["reason": "\(refusal)", "address": "\(address)"])
            return Self.asksForPassword
        case .notFound: return .bare(.notFound)
        case .invalid, .tooLarge, .limited, .unavailable: return .problem(refusal)
        }
    }

    func refused(_ address: ClientAddress, _ code: String, _ tenant: TenantID?) {
        services.refused(address.text, code, tenant)
    }

    // MARK: - Answers

    private static func answer(_ answer: TelemetryAnswer) -> Answer {
        switch answer {
        case .accepted: .done
        case .partly(let accepted, let refusal):
            .problem(refusal, status: .unprocessableContent, accepted: accepted)
        case .withoutTexts(let accepted, let refusal): .problem(refusal, status: .ok, accepted: accepted)
        case .refused(let refusal): .problem(refusal)
        }
    }

    private static func issued(_ certificate: [UInt8], _ lines: ESTLines) throws -> Answer {
        encoded("application/pkcs7-mime; smime-type=certs-only", try EST.body(certificates: [certificate]), lines)
    }

    private static func encoded(_ type: String, _ body: [UInt8], _ lines: ESTLines) -> Answer {
        Answer(
            status: .ok, contentType: type, headers: "Content-Transfer-Encoding: base64\r\n", body: lines.text(body))
    }

    private static let asksForPassword = Answer.bare(
        .unauthorized, headers: "WWW-Authenticate: Basic realm=\"enrolment\", charset=\"UTF-8\"\r\n")
    private static let busy = Answer.bare(.serviceUnavailable, headers: "Retry-After: 10\r\n")
}

extension String {
    /// Whether a header field of this name says which server is meant.
    fileprivate var isHost: Bool { utf8.count == 4 && lowercased() == "host" }
}
