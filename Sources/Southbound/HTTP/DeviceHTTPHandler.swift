import Base
import Fleet
import NIOCore
import NIOHTTP1

/// One HTTP connection of a device or a stranger: hands requests to the service one by one and writes each answer in
/// one piece, past the encoder that would make three TLS records of it; a download follows its head piece by piece.
final class DeviceHTTPHandler: ChannelDuplexHandler, ConnectionOwner {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let service: DeviceHTTPService
    let connection: DeviceConnection
    let loop: ConnectionLoop
    private let device: AdmittedDevice?
    private var presence: PresenceSession?
    private var holder: ConnectionHolder

    private var exchange = HTTPExchange<DeviceWork>()
    /// Requests that came before the one at hand was answered; nil nearly always.
    private var waiting: CircularBuffer<HTTPServerRequestPart>?
    private(set) var context: ChannelHandlerContext?
    /// Who polled last on this connection.
    private var caller: PollCaller?
    /// What is being sent after the head of an answer; the next request waits for its end.
    var download: Download?
    private var isHead = false
    private var isReadHeld = false
    private var isBlocked = false
    private var isTakingWaiting = false
    private var heldBytes = 0
    private var bodyBegan = NIODeadline.uptimeNanoseconds(0)

    init(service: DeviceHTTPService, connection: DeviceConnection, loop: ConnectionLoop, device: AdmittedDevice?) {
        self.service = service
        self.connection = connection
        self.loop = loop
        self.device = device
        holder = ConnectionHolder(registered: device)
    }

    // MARK: - The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if let device { note(device) }
        awaitRequest()
    }

    func handlerRemoved(context: ChannelHandlerContext) { release(reason: .ended) }

    func channelInactive(context: ChannelHandlerContext) {
        release(reason: .lost)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard mustWait else { return take(part) }
        guard !exchange.isClosing else { return }
        guard (waiting?.count ?? 0) < Limits.pipelinedParts else {
            service.counters.malformed.add()
            return close()
        }
        if waiting == nil { waiting = CircularBuffer(initialCapacity: 4) }
        waiting?.append(part)
    }

    /// Reading stops while a request is worked on, so that TCP holds the sender back and not our memory.
    func read(context: ChannelHandlerContext) {
        if mustWait && !exchange.isClosing { isReadHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if download != nil {
            pump()
        } else if isBlocked, context.channel.isWritable {
            isBlocked = false
            awaitRequest()
            takeWaiting()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is DeviceConnectionEnd:
            // HTTP has no way to say goodbye; an answer that comes late must not go out any more.
            exchange.close()
            release(reason: .ended)
        case ChannelEvent.inputClosed: close()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !exchange.isClosing else { return }
        guard let error = error as? HTTPParserError, !mustWait else { return close() }
        service.counters.malformed.add()
        let status: Answer.Status = error == .headerOverflow ? .headerFieldsTooLarge : .badRequest
        exchange.close()
        send(.bare(status), closing: true)
    }

    // MARK: - The owner

    func deadlineReached() {
        if isBlocked || download != nil {
            service.counters.writeTimeouts.add()
            connection.cut()
        } else if exchange.isAwaiting {
            if device == nil { service.counters.requestTimeouts.add() }
            close()
        } else if exchange.isWorking {
            service.counters.requestTimeouts.add()
            perform(exchange.answer(.bare(.serviceUnavailable, closes: true)))
        } else {
            service.counters.requestTimeouts.add()
            guard exchange.isCollecting else { return close() }
            exchange.close()
            send(.bare(.requestTimeout), closing: true)
        }
    }

    func drain() {
        guard exchange.finish(), !isBlocked else { return }
        if download == nil { close() } else { download?.closes = true }
    }

    // MARK: - Requests

    private var mustWait: Bool {
        exchange.isWorking || isBlocked || download != nil || (waiting != nil && !isTakingWaiting)
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): add(bytes)
        case .end: perform(exchange.end())
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        service.counters.requests.add()
        isHead = head.method == .HEAD
        bodyBegan = loop.eventLoop.now
        connection.setDeadline(bodyBegan + Self.bodyGrace)
        let expectation = head.headers.first(name: "expect")
        let expectsContinue = expectation?.lowercased() == "100-continue"
        var plan: DeviceHTTPService.Plan =
            expectation != nil && !expectsContinue
            ? .answer(.bare(.expectationFailed))
            : service.plan(head, device: device, address: connection.address, caller: &caller)
        if let device {
            note(device)
        } else if let sender = caller?.device ?? plan.work?.device {
            if let context,
                !holder.change(to: sender, head, on: context.channel, service.registry, service.directory)
            {
                caller = nil
                plan = .answer(.tooManyConnections)
            } else {
                note(sender)
            }
        }
        perform(
            exchange.head(
                Self.framing(head), expectsContinue: expectsContinue,
                keepsAlive: head.isKeepAlive && !Self.wantsOther(head), plan: plan))
    }

    /// Whether who asks wants to speak another protocol afterwards: what follows would never be read as a request.
    private static func wantsOther(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "upgrade")
    }

    /// The device was heard. A token says with each request who sends it, so the device can change.
    private func note(_ device: AdmittedDevice) {
        guard let all = service.services.presence else { return }
        if let presence, presence.device == device.device { return presence.seen(at: service.clock.now) }
        if let presence { all.disconnected(presence, reason: .closed) }
        presence = all.connected(device, via: "https", address: connection.address.text)
    }

    private static func framing(_ head: HTTPRequestHead) -> HTTPExchange<DeviceWork>.Framing {
        if head.headers.contains(name: "transfer-encoding") { return .chunked }
        guard let text = head.headers.first(name: "content-length") else { return .none }
        // The parser has refused what is no number; one too large for 64 bits is as good as endless.
        return Int(text).map { $0 == 0 ? .none : .length($0) } ?? .chunked
    }

    private func add(_ bytes: ByteBuffer) {
        guard exchange.isCollecting else { return perform(exchange.body(bytes)) }
        guard service.bodies.take(bytes.readableBytes) else {
            return perform(exchange.answer(.bare(.serviceUnavailable, headers: "Retry-After: 10\r\n", closes: true)))
        }
        heldBytes += bytes.readableBytes
        // Who sends a byte now and then gets no further than who sends nothing.
        let earned = Int64(heldBytes) * 1_000_000_000 / Int64(max(service.limits.bodyBytesPerSecond, 1))
        connection.setDeadline(bodyBegan + Self.bodyGrace + .nanoseconds(earned))
        perform(exchange.body(bytes))
    }

    private func perform(_ action: HTTPExchange<DeviceWork>.Action) {
        switch action {
        case .nothing:
            if exchange.isAwaiting { awaitRequest() }
        case .sendContinue:
            loop.scratch.clear()
            loop.scratch.writeString("HTTP/1.1 100 Continue\r\n\r\n")
            context?.writeAndFlush(wrapOutboundOut(loop.scratch), promise: nil)
        case .send(let answer, let closing): send(answer, closing: closing)
        case .work(let work, let body):
            connection.setDeadline(in: service.limits.answerTime)
            service.perform(work, body: body, address: connection.address, on: loop.eventLoop)
                .assumeIsolated().whenComplete { result in
                    let answer = (try? result.get()) ?? .bare(.serviceUnavailable, headers: "Retry-After: 10\r\n")
                    self.perform(self.exchange.answer(answer))
                    self.takeWaiting()
                }
        case .close: close()
        }
    }

    private func send(_ answer: Answer, closing: Bool) {
        giveBody()
        guard let context else { return }
        if answer.status.rawValue >= 400 { service.counters.refusals.add() }
        if let code = answer.code { service.counters.refused(code).add() }
        let answer = isHead ? answer.headOnly : answer
        // What breaks off behind it is no request for a head.
        isHead = false
        let closes = closing || loop.isDraining
        loop.scratch.clear()
        answer.write(to: &loop.scratch, date: loop.date.text(at: service.clock.now), closing: closes)
        context.writeAndFlush(wrapOutboundOut(loop.scratch), promise: nil)
        if let content = answer.content { return begin(Download(content, closes: closes)) }
        if closes { return close() }
        if context.channel.isWritable {
            if exchange.isAwaiting { awaitRequest() }
        } else {
            isBlocked = true
            connection.setDeadline(in: service.limits.writeTime)
        }
    }

    /// A download has gone out completely.
    func downloadEnded(closes: Bool) {
        if closes { return close() }
        awaitRequest()
        takeWaiting()
    }

    /// Takes up what came in the meantime, and lets more come when there is nothing left.
    private func takeWaiting() {
        guard !isTakingWaiting else { return }
        isTakingWaiting = true
        while !exchange.isWorking, !isBlocked, download == nil, let part = waiting?.popFirst() { take(part) }
        if waiting?.isEmpty == true { waiting = nil }
        isTakingWaiting = false
        if isReadHeld, !mustWait || exchange.isClosing {
            isReadHeld = false
            context?.read()
        }
    }

    private func awaitRequest() {
        connection.setDeadline(
            in: device == nil && presence == nil ? service.limits.strangerTime : service.limits.idleTime)
    }

    private func close() {
        exchange.close()
        waiting = nil
        // What TLS does not finish in its own time is cut by it.
        connection.setDeadline(.distantFuture)
        context?.close(promise: nil)
    }

    private func giveBody() {
        service.bodies.give(heldBytes)
        heldBytes = 0
    }

    private func release(reason: DeviceOffline.Reason) {
        giveBody()
        waiting = nil
        endDownload()
        if let context { holder.leave(context.channel, service.registry) }
        context = nil
        if let presence { service.services.presence?.disconnected(presence, reason: reason) }
        presence = nil
    }

    private static let bodyGrace = TimeAmount.seconds(10)
}
