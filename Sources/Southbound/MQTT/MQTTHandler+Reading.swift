import Base
import Fleet
import MQTT
import NIOCore
import Telemetry

/// When a device is read, and when it has to wait.
extension MQTTHandler {
    /// Reading stops while the log is behind, the session has to wait, or the device is over its rate: then the
    /// device's own TCP window fills, and nothing is lost.
    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    private var mayRead: Bool {
        if let heldUntil, heldUntil > .now() { return false }
        guard !isStalled else { return false }
        return !loop.appender.isCongested && (session.wantsInput || admitted == nil)
            && context?.channel.isWritable != false
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watchStall(context.channel)
        resumeReading()
        context.fireChannelWritabilityChanged()
    }

    /// Cuts the connection off when the device takes nothing for too long: nothing is read meanwhile, so neither its
    /// keep-alive nor its own silence would end it.
    private func watchStall(_ channel: any NIOCore.Channel) {
        stall?.cancel()
        stall = nil
        guard !channel.isWritable else { return }
        stall = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(service.writeTime)) {
            guard let channel = self.context?.channel else { return }
            self.service.counters.writeTimeouts.add()
            channel.cut()
        }
    }

    func resumeReading() {
        guard isReadHeld, mayRead, let context else { return }
        isReadHeld = false
        session.forgiveSilence(at: .now())
        context.read()
    }

    /// Counts what was read, and reads nothing for a while when it was more than device and tenant may send.
    func count(messages: Int, bytes: Int, at now: NIODeadline) {
        guard messages > 0, admitted != nil else { return }
        admitted?.presence.seen(at: service.clock.now)
        if let wait = admitted?.gate?.pay(messages: messages, bytes: bytes, at: now) { hold(for: wait) }
    }

    private func hold(for wait: Duration) {
        service.counters.throttled.add()
        let delay = TimeAmount.nanoseconds(min(wait.microseconds, 60_000_000) * 1000)
        heldUntil = max(heldUntil ?? .now(), .now() + delay)
        // A further wait may have begun meanwhile; this task then changes nothing, and that one's reads.
        eventLoop.assumeIsolated().scheduleTask(in: delay) { self.resumeReading() }
    }
}
