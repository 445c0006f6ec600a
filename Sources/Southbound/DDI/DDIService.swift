import Base
import Fleet
import Logging
import NIOCore
import NIOHTTP1
import Operations
import Trust

/// hawkBit's Direct Device Integration API v1: who may ask what. Polls are answered at once, from memory alone; all else
/// is worked on where no event loop waits.
///
/// Clients know installs only, so tasks of other types are not offered here. They also take no other status than 200 for
/// a success, so nothing that they ask answers 201 or 204.
final class DDIService: Sendable {
    typealias Plan = HTTPExchange<DeviceWork>.Plan

    /// What becomes of a request.
    struct Decision {
        var plan: Plan
        /// Who polls with it, if it is a poll.
        var caller: PollCaller?
    }

    let desk: DeviceDesk
    let counters: DDICounters
    let attributes = AttributesGiven()
    let downloads: DownloadPlaces
    private let ready = ReadyPolls(DDIDocuments.emptyPoll)

    var operations: Operations { desk.operations }
    var clock: WallClock { desk.clock }
    var logger: Logger { desk.logger }

    init(_ desk: DeviceDesk, limits: SouthboundLimits, metrics: Metrics) {
        self.desk = desk
        counters = DDICounters(metrics)
        downloads = DownloadPlaces(
            limits.downloads, waiting: limits.waitingDownloads, perDevice: limits.downloadsPerDevice)
        metrics.gauge("tidegate_downloads_open", "Downloads of artifacts under way.") { [downloads] in
            Double(downloads.underWay)
        }
        metrics.gauge("tidegate_downloads_waiting", "Downloads that wait for their turn or their tenant's rate.") {
            [downloads] in Double(downloads.waiting)
        }
    }

    // MARK: - Deciding

    /// The answer to a poll that is the same as the one before.
    func answer(again caller: PollCaller) -> Answer {
        if let refusal = desk.rate(of: caller.device) { return refused(refusal) }
        return poll(caller)
    }

    /// What to do with a request, from its head alone.
    func decide(
        _ path: DDIPath, _ head: HTTPRequestHead, _ device: AdmittedDevice?, _ address: ClientAddress
    ) -> Decision {
        let authorization = device == nil ? head.headers.first(name: "authorization") : nil
        do throws(Refusal) {
            let sender = try sender(device, authorization, path)
            // Before anything else, so that nothing that is refused can be asked for without end.
            if let refusal = desk.rate(of: sender) { throw refusal }
            guard sender.tenantSlug == path.tenant,
                path.controller == sender.name.text || path.controller == sender.device.text
            else {
                // Who asks under another's name may be trying names.
                desk.tell(address.text, "device.foreign", sender.tenant)
                throw Self.unknown
            }
            guard sender.opens(.maintenance) else {
                desk.tell(address.text, "device.channel", sender.tenant)
                throw Refusal(
                    .forbidden, "device.channel",
                    "This credential is for the streaming channel. Ask for work with the maintenance one.")
            }
            guard path.resource.methods.contains(head.method.rawValue) else {
                var answer = refused(Self.method)
                answer.headers += "Allow: \(path.resource.methods.joined(separator: ", "))\r\n"
                return Decision(plan: .answer(answer))
            }
            // A file is what it is, and what answers a body is empty.
            guard let takes = path.resource.isDocument ? MediaRange.taken(head.headers["accept"]) : .json else {
                throw Self.notAcceptable
            }
            let type = head.headers.first(name: "content-type")
            guard let brings = path.resource.hasBody ? MediaRange.brought(type) : .json else {
                throw Self.unsupported
            }
            guard let host = head.headers.first(name: "host"),
                let base = PollCaller.base(host: host, prefix: path.prefix)
            else { throw Refusal(.invalid, "ddi.host", "Name the server in the field Host.") }
            guard path.resource == .poll else {
                let request = DDIRequest(
                    device: sender, base: base, resource: path.resource, history: path.history,
                    conditions: DDIConditions(head), brings: brings, takes: takes)
                return Decision(
                    plan: .collect(.ddi(request), limit: path.resource.hasBody ? Limits.ddiBodyBytes : 0))
            }
            let caller = PollCaller(
                poll: .update, head, host: host, authorization: authorization, device: sender, base: base)
            guard takes == .json else { return Decision(plan: .answer(Self.cbor(poll(caller)))) }
            return Decision(plan: .answer(poll(caller)), caller: caller)
        } catch {
            if error.kind == .unauthenticated { desk.tell(address.text, "device.refused", nil) }
            return Decision(plan: .answer(refused(error)))
        }
    }

    /// The device that a certificate or an access token stands for, or for which a gateway speaks.
    private func sender(
        _ device: AdmittedDevice?, _ authorization: String?, _ path: DDIPath
    ) throws(Refusal) -> AdmittedDevice {
        if let device { return device }
        switch Authorization(authorization) {
        case .target(let token): return try desk.directory.admit(accessToken: token)
        // What a device is wanted to be may hold secrets, which are its alone.
        case .gateway(let token) where path.resource != .desired && path.resource != .reported:
            return try desk.directory.admit(gatewayToken: token, tenant: path.tenant, device: path.controller)
        default: throw Refusal(.unauthenticated, "device.noCredential", "Present the device's certificate.")
        }
    }

    // MARK: - Polls

    private func poll(_ caller: PollCaller) -> Answer {
        counters.polls.add()
        let device = caller.device
        let task = operations.board.next(for: device.device, of: .install)
        let now = clock.now
        desk.fleet.heartbeats.called(device.device, at: now)
        let pause = desk.fleet.heartbeats.pause(of: device, isBusy: task != nil, at: now)
        let isAsked = !attributes.contains(device.device)
        let installed = operations.board.installed(on: device.device)
        let desired = desiredLink(for: device)
        if task == nil, !isAsked, desired == nil {
            let answer = ready.answer(pause)
            return installed.map { caller.installed.poll($0, answer, base: caller.base) } ?? answer
        }
        var links: [(name: String, path: String)] = []
        if let task {
            let number = task.number
            switch task.state {
            case .cancelling: links.append(("cancelAction", "/cancelAction/\(number)"))
            case _ where operations.waitsForConfirmation(task, of: device.device):
                links.append(("confirmationBase", "/confirmationBase/\(number)?c=\(number)"))
            default: links.append(("deploymentBase", "/deploymentBase/\(number)?c=\(number)"))
            }
        }
        if let installed { links.append(("installedBase", "/installedBase/\(installed)")) }
        if isAsked { links.append(("configData", "/configData")) }
        if let desired { links.append(desired) }
        return Self.json(DDIDocuments(base: caller.base).poll(pause: pause, links: links))
    }

    // MARK: - Doing

    /// Does the work; the future succeeds on the loop.
    func perform(
        _ request: DDIRequest, body: ByteBuffer, address: ClientAddress, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Answer> {
        desk.pay(body.readableBytes, by: request.device)
        return desk.submit(
            from: address, on: eventLoop,
            refused: { [self] refusal in
                if refusal.code == Self.foreign.code { desk.tell(address.text, refusal.code, request.device.tenant) }
                return refused(refusal)
            }
        ) { [self] in
            let body = try Self.json(body, request.brings)
            let answer = try await answer(request, body)
            return request.takes == .cbor ? Self.cbor(answer) : answer
        }
    }

    /// A body as JSON.
    private static func json(_ body: ByteBuffer, _ form: MediaRange.Form) throws(Refusal) -> [UInt8] {
        let bytes = Array(body.readableBytesView)
        guard form == .cbor, !bytes.isEmpty else { return bytes }
        do {
            let limits = CBORLimits(bytes: Limits.ddiBodyBytes, depth: 16, items: Limits.ddiBodyItems)
            return Array(try JSONValue(cbor: bytes, limits: limits).canonical.utf8)
        } catch {
            throw Refusal(
                .invalid, "ddi.cbor", "The body is no CBOR: \(error.reason.rawValue), at byte \(error.offset).")
        }
    }

    /// An answer in CBOR, if it is a document: for the few who take no JSON.
    private static func cbor(_ answer: Answer) -> Answer {
        guard answer.contentType == "application/json", let document = try? JSONValue(parsing: answer.body) else {
            return answer
        }
        var answer = answer
        answer.contentType = "application/cbor"
        answer.body = document.cbor
        return answer
    }

    // MARK: - Answers

    private func refused(_ refusal: Refusal) -> Answer {
        counters.refused(refusal.code).add()
        switch refusal.code {
        case Self.closed.code: return .problem(refusal, status: .gone)
        case Self.notCancelling.code, Self.method.code: return .problem(refusal, status: .methodNotAllowed)
        case Self.notAcceptable.code: return .problem(refusal, status: .notAcceptable)
        case Self.unsupported.code: return .problem(refusal, status: .unsupportedMediaType)
        default: break
        }
        var answer = Answer.problem(refusal)
        if refusal.kind == .unauthenticated { answer.headers += "WWW-Authenticate: TargetToken\r\n" }
        return answer
    }

    static func json(_ body: [UInt8]) -> Answer {
        Answer(status: .ok, contentType: "application/json", body: body)
    }

    /// A document with a tag by which the client may ask for it again; 304 only when it did, because clients in use take
    /// nothing but 200. The tag is good until the server starts again.
    static func json(_ body: [UInt8], _ request: DDIRequest) -> Answer {
        var hasher = Hasher()
        hasher.combine(body)
        hasher.combine(request.takes)
        let tag = String(UInt(bitPattern: hasher.finalize()), radix: 16)
        var answer = request.conditions.knows(tag) ? Answer(status: .notModified) : json(body)
        answer.headers = "ETag: \"\(tag)\"\r\n"
        return answer
    }

    /// Absent and foreign look the same.
    static let unknown = Refusal(.notFound, "ddi.unknown", "There is no such thing, or it is not for this device.")
    /// Who asks for a task that is not its own may be trying numbers.
    static let foreign = Refusal(.notFound, "task.foreign", "There is no such action for this device.")
    static let method = Refusal(.invalid, "ddi.method", "Another method is wanted here.")
    static let notAcceptable = Refusal(.invalid, "ddi.notAcceptable", "There is JSON here, and CBOR, and nothing else.")
    static let unsupported = Refusal(.invalid, "ddi.contentType", "Send application/json, or application/cbor.")
    static let closed = Refusal(.conflict, "task.closed", "The action is over, and ended otherwise.")
    static let notCancelling = Refusal(.conflict, "task.notCancelling", "Nobody wants to end this action.")
}
