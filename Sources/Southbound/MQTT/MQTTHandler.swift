import Base
import Fleet
import MQTT
import NIOCore
import Telemetry
import Trust

/// One device's MQTT connection: bytes in, session decisions, readings to the log, reports to their queue,
/// acknowledgements out when they are durable.
///
/// Guard of `@unchecked Sendable`: every member is touched on the channel's event loop only.
final class MQTTHandler: ChannelDuplexHandler, DurabilityWaiter, MQTTSessions.Holder, ReportQueue.Reporter,
    ConnectionOwner, @unchecked Sendable
{
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let eventLoop: any EventLoop
    let service: MQTTService
    let loop: MQTTLoop
    let certified: AdmittedDevice?
    let address: String
    let connection: DeviceConnection

    var session: ServerSession
    private(set) var context: ChannelHandlerContext?
    var input = ByteBuffer()
    var admitted: Admitted?
    /// Where the device's reports stand; most devices send readings only and never need it.
    var reporting: Reporting?
    /// Where the device's tasks stand; there only for a device that has asked for them or speaks of one.
    var tasking: Tasking?
    /// Runs while the device does not take what it is sent.
    var stall: Scheduled<Void>?
    var isReadHeld = false
    var heldUntil: NIODeadline?
    var isClosing = false

    /// What a connection has once its device is let in.
    struct Admitted {
        var device: AdmittedDevice
        var key: MQTTSessions.Key
        var ingest: DeviceIngest
        var gate: DeviceGate?
        let presence: PresenceSession
        /// Messages that are not durable yet, oldest first; most devices have one on its way at a time.
        var owed = CircularBuffer<(ticket: UInt64, handle: PublishHandle)>(initialCapacity: 1)
        var notifiedTicket: UInt64 = 0
    }

    /// A handler for a connection past its handshake.
    init(service: MQTTService, loop: MQTTLoop, identity: ConnectionIdentity) {
        self.service = service
        self.loop = loop
        eventLoop = loop.eventLoop
        certified = identity.device
        address = identity.address.text
        connection = identity.connection
        session = ServerSession(limits: service.limits, at: .now())
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection.owner = self
        arm()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        stall?.cancel()
        stall = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var received = unwrapInboundIn(data)
        if input.readableBytes == 0 { input = received } else { input.writeBuffer(&received) }
        work()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let ending = session.connectionLost() { finish(ending) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as DeviceConnectionEnd: end(event.reason, text: event.text)
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Packets

    /// Takes packets from the input until it is empty or one has to wait, then sends what that produced.
    func work() {
        guard !isClosing else { return }
        let now = NIODeadline.now()
        var output = loop.takeOutput()
        var ending: Ending?
        var messages = 0
        let received = input.readableBytes
        while ending == nil, !isStalled,
            let action = session.receive(from: &input, into: &output, at: now)
        {
            switch action {
            case .publish(let publish, let handle):
                messages += 1
                take(publish, owing: handle, into: &output, ending: &ending)
            case .authenticate(let connect): ending = authenticate(connect, into: &output, at: now)
            case .subscribe(let request):
                ending = session.answer(request, with: reasons(for: request), into: &output)
                if ending == nil { subscribed(request) }
            case .delivered(let id): desiredEnded(id, isAcknowledged: true, into: &output)
            case .undelivered(let id, _): desiredEnded(id, isAcknowledged: false, into: &output)
            case .unsubscribed: break
            case .end(let end): ending = end
            }
        }
        if received > input.readableBytes { count(messages: messages, bytes: received - input.readableBytes, at: now) }
        if input.readableBytes == 0 { input = ByteBuffer() }
        send(&output)
        if let ending { finish(ending) } else { resumeReading() }
    }

    func send(_ output: inout ByteBuffer) {
        if output.readableBytes > 0 { context?.writeAndFlush(wrapOutboundOut(output), promise: nil) }
        loop.giveBack(&output)
    }

    /// Whether what the device said has to be kept before more is read.
    var isStalled: Bool { reporting?.isStalled == true || tasking?.isStalled == true }

    /// What becomes of a message that was not refused.
    private enum Acceptance {
        /// There is nothing to wait for.
        case done
        /// It is durable with this ticket.
        case durable(ticket: UInt64)
        /// It is answered when its report is.
        case reported
    }

    private func take(
        _ publish: Publish, owing handle: PublishHandle?, into output: inout ByteBuffer, ending: inout Ending?
    ) {
        do throws(Refusal) {
            let acceptance = try accept(publish, owing: handle, into: &output)
            guard let handle else { return }
            switch acceptance {
            case .done: session.acknowledge(handle, into: &output)
            case .durable(let ticket):
                admitted?.owed.append((ticket, handle))
                if admitted?.notifiedTicket != ticket {
                    admitted?.notifiedTicket = ticket
                    loop.appender.notify(self)
                }
            case .reported: break
            }
        } catch {
            refuse(handle, error, into: &output, ending: &ending)
        }
    }

    /// Says no to a message.
    func refuse(
        _ handle: PublishHandle?, _ refusal: Refusal, into output: inout ByteBuffer, ending: inout Ending?
    ) {
        service.counters.refused.add()
        let isOfTask = refusal.code.hasPrefix("task.")
        if isOfTask { refusedWord(refusal) }
        guard let handle else { return }
        if session.version == .v5 {
            // What is wrong with readings is said by their code alone: that way is too busy for words.
            let text = refusal.code.hasPrefix("telemetry.") ? nil : refusal.message
            session.acknowledge(handle, reason: refusal.reasonCode, text: text, into: &output)
        } else if isOfTask {
            // An old client that answers a call which has expired must not be thrown off for it, and 3.1.1 could say no
            // only by closing. So there it is acknowledged, dropped and counted.
            session.acknowledge(handle, into: &output)
        } else {
            // 3.1.1 knows no negative acknowledgement: what is not kept is never acknowledged.
            ending = session.disconnect(refusal.reasonCode, into: &output)
        }
    }

    private func accept(
        _ publish: Publish, owing handle: PublishHandle?, into output: inout ByteBuffer
    ) throws(Refusal) -> Acceptance {
        guard let admitted else { throw Refusal(.unauthenticated, "mqtt.notConnected", "connect first") }
        let publication = DeviceTopics.publication(publish.topic)
        if case .telemetry(let format) = publication {
            guard admitted.device.opens(.stream) else {
                throw service.refusedChannel(admitted.device, address: address)
            }
            let accepted = try admitted.ingest.accept(publish.payload, as: format)
            service.counters.messages.add()
            service.counters.values.add(accepted.values)
            if accepted.texts > 0 { service.counters.texts.add(accepted.texts) }
            return .durable(ticket: accepted.ticket)
        }
        if case .unknown = publication {
            service.counters.refusedTopics.add()
            throw Refusal(.forbidden, "mqtt.topic", "this is no topic to which a device publishes")
        }
        guard admitted.device.opens(.maintenance) else {
            throw service.refusedChannel(admitted.device, address: address)
        }
        switch publication {
        case .telemetry, .unknown: break
        case .reported: report(.reported(Array(publish.payload.readableBytesView)), .message(handle))
        case .attributes: report(.attributes(Array(publish.payload.readableBytesView)), .message(handle))
        case .events: report(.events(Array(publish.payload.readableBytesView)), .message(handle))
        case .attributeRequest(let number):
            report(.look, .attributes(try AttributeRequest(number, publish.payload), handle))
        case .status(let number): try said(StatusReport(TaskWord.body(publish.payload)), of: number, handle)
        case .callAnswer(let number):
            try said(ThingsBoardCall.answer(TaskWord.body(publish.payload)), of: number, handle)
        case .call(let number):
            try answerCall(number, into: &output)
            return .done
        }
        return .reported
    }

    private func reasons(for request: SubscribeRequest) -> [ReasonCode] {
        request.subscriptions.map { subscription in
            let isAllowed =
                admitted?.device.opens(.maintenance) == true
                && DeviceTopics.subscribable.contains(subscription.filter.text)
            if !isAllowed { service.counters.refusedTopics.add() }
            return isAllowed ? .granted(subscription.maximumQoS) : .notAuthorized
        }
    }

    // MARK: Durability

    func durable(through ticket: UInt64) {
        guard !isClosing, admitted != nil else { return }
        var last: PublishHandle?
        var output = loop.takeOutput()
        // A report or a word about a task among them waits for another disk, so it must not be acknowledged with them.
        let isAlone = (reporting?.isIdle ?? true) && (tasking?.isIdle ?? true)
        while let first = admitted?.owed.first, first.ticket <= ticket {
            last = first.handle
            if !isAlone { session.acknowledge(first.handle, into: &output) }
            admitted?.owed.removeFirst()
        }
        if isAlone, let last { session.acknowledge(through: last, into: &output) }
        send(&output)
        if input.readableBytes > 0 { work() } else { resumeReading() }
    }

    func logFailed() { end(.serverUnavailable, text: nil) }

    // MARK: Time

    /// Looks at the session's deadline when it comes, which packets move on meanwhile, instead of moving the
    /// connection's with every packet.
    func arm() { connection.setDeadline(session.deadline ?? .distantFuture) }

    func deadlineReached() {
        // Whoever is not read can not be heard.
        if isReadHeld { session.forgiveSilence(at: .now()) }
        var output = loop.takeOutput()
        let ending = session.timeOut(at: .now(), into: &output)
        send(&output)
        if let ending { finish(ending) } else { arm() }
    }

    func drain() { end(DeviceConnectionEnd.serverStops.reason, text: nil) }
}
