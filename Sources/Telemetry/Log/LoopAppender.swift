public import NIOCore

/// Somebody who waits for records to be on disk, such as a connection that owes acknowledgements.
public protocol DurabilityWaiter: AnyObject {
    /// Everything appended with a ticket up to this one is on disk and can be queried.
    func durable(through ticket: UInt64)
    /// The log can not be written any more: nothing that is still open will become durable.
    func logFailed()
}

/// One event loop's end of the telemetry log: collects the loop's records and hands them over once per turn of the
/// loop, so that the writer is asked once however many messages arrived.
///
/// Guard of `@unchecked Sendable`: every member is touched on `eventLoop` only, which each method checks in debug.
public final class LoopAppender: @unchecked Sendable {
    /// The loop that owns this appender.
    public let eventLoop: any EventLoop

    private let log: TelemetryLog
    private var frames: [UInt8] = []
    private var waiters: [any DurabilityWaiter] = []
    private var handedOver: [(ticket: UInt64, bytes: Int, waiters: [any DurabilityWaiter])] = []
    private var ticket: UInt64 = 1
    private var isScheduled = false
    private var bytesInFlight = 0
    /// The newest hand-over that could not be written.
    private var lastFailed: UInt64 = 0

    init(eventLoop: any EventLoop, log: TelemetryLog) {
        self.eventLoop = eventLoop
        self.log = log
    }

    /// More is waiting for the disk than memory should hold: connections must stop reading until told `durable`.
    public var isCongested: Bool { bytesInFlight + frames.count > TelemetryLog.maximumBytesInFlightPerLoop }

    /// Appends the records of one device and hour; the ticket becomes durable with them.
    public func append(slot: UInt32, hour: UInt32, records: some Collection<UInt8>) -> UInt64 {
        eventLoop.assertInEventLoop()
        LogFrame.appendHeader(slot: slot, hour: hour, length: records.count, to: &frames)
        frames.append(contentsOf: records)
        if !isScheduled {
            isScheduled = true
            eventLoop.execute { self.handOver() }
        }
        return ticket
    }

    /// Calls `waiter` once, when everything appended so far is durable.
    public func notify(_ waiter: any DurabilityWaiter) {
        eventLoop.assertInEventLoop()
        if isScheduled {
            waiters.append(waiter)
        } else if handedOver.isEmpty, lastFailed == ticket - 1, lastFailed > 0 {
            waiter.logFailed()
        } else if handedOver.isEmpty {
            waiter.durable(through: ticket &- 1)
        } else {
            handedOver[handedOver.count - 1].waiters.append(waiter)
        }
    }

    private func handOver() {
        isScheduled = false
        handedOver.append((ticket, frames.count, waiters))
        bytesInFlight += frames.count
        let full = frames
        frames = []
        frames.reserveCapacity(min(full.count * 2, 1 << 20))
        waiters = []
        log.submit(full, ticket: ticket, from: self)
        ticket += 1
    }

    /// The writer's answer, on the loop: hand-overs up to `ticket` are on disk.
    func committed(through ticket: UInt64) {
        eventLoop.assertInEventLoop()
        let count = handedOver.prefix { $0.ticket <= ticket }.count
        let done = handedOver[..<count]
        handedOver.removeFirst(count)
        for batch in done { bytesInFlight -= batch.bytes }
        for batch in done {
            for waiter in batch.waiters { waiter.durable(through: batch.ticket) }
        }
    }

    /// The writer's other answer: it could not write the hand-overs up to `ticket`.
    func failed(through ticket: UInt64) {
        eventLoop.assertInEventLoop()
        lastFailed = max(lastFailed, ticket)
        let count = handedOver.prefix { $0.ticket <= ticket }.count
        let lost = handedOver[..<count]
        handedOver.removeFirst(count)
        for batch in lost { bytesInFlight -= batch.bytes }
        for batch in lost {
            for waiter in batch.waiters { waiter.logFailed() }
        }
    }
}
