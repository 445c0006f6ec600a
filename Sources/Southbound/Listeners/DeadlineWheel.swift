import NIOCore

/// Wakes the connections of one event loop whose time is up, with one timer for all of them.
///
/// A connection lies in the slot of its deadline. Moving a deadline to later, which every request does, is one store:
/// the wheel finds out when it comes to the slot, and moves the connection on. Only an earlier deadline moves it at
/// once. Deadlines are met within one tick.
final class DeadlineWheel {
    static let tick = TimeAmount.milliseconds(500)
    static let slotCount = 512

    private let eventLoop: any EventLoop
    private var slots: [[DeviceConnection]] = Array(repeating: [], count: slotCount)
    private var count = 0
    private var isTicking = false
    /// The last tick that was handled.
    private var handled: UInt64 = 0

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// How many connections wait.
    var waiting: Int { count }

    /// Puts the connection where its deadline, or an earlier look at it, will find it.
    func place(_ connection: DeviceConnection) {
        let tick = max(Self.tick(after: connection.deadline), handled + 1)
        if let place = connection.place {
            guard tick < place.tick else { return }
            remove(connection)
        } else if count == 0 {
            handled = max(handled, Self.tick(before: eventLoop.now))
        }
        insert(connection, at: tick)
        startTicking()
    }

    /// Forgets the connection.
    func remove(_ connection: DeviceConnection) {
        guard let place = connection.place else { return }
        let slot = Int(place.tick % UInt64(Self.slotCount))
        connection.place = nil
        count -= 1
        guard let last = slots[slot].popLast(), last !== connection else { return }
        slots[slot][place.index] = last
        last.place?.index = place.index
    }

    private func insert(_ connection: DeviceConnection, at tick: UInt64) {
        // What lies beyond the wheel's rim waits in the last slot and is placed anew from there.
        let tick = min(max(tick, handled + 1), handled + UInt64(Self.slotCount) - 1)
        let slot = Int(tick % UInt64(Self.slotCount))
        connection.place = DeviceConnection.WheelPlace(tick: tick, index: slots[slot].count)
        slots[slot].append(connection)
        count += 1
    }

    private func startTicking() {
        guard !isTicking else { return }
        isTicking = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.tick) { self.turn() }
    }

    private func turn() {
        isTicking = false
        let now = Self.tick(before: eventLoop.now)
        // A loop that was held up handles each missed slot once.
        let last = min(now, handled + UInt64(Self.slotCount) - 1)
        while handled < last {
            handled += 1
            let slot = Int(handled % UInt64(Self.slotCount))
            var due: [DeviceConnection] = []
            swap(&due, &slots[slot])
            count -= due.count
            // Off the wheel first: a connection's owner may close it, or set a deadline for another one.
            for connection in due { connection.place = nil }
            for connection in due { visit(connection, now: now) }
        }
        handled = max(handled, now)
        if count > 0 { startTicking() }
    }

    private func visit(_ connection: DeviceConnection, now: UInt64) {
        guard connection.isOpen, connection.deadline != .distantFuture, connection.place == nil else { return }
        let tick = Self.tick(after: connection.deadline)
        if tick > now {
            insert(connection, at: tick)
        } else {
            connection.deadline = .distantFuture
            connection.reachDeadline()
        }
    }

    private static let tickLength = UInt64(tick.nanoseconds)

    /// The last tick at or before the moment.
    private static func tick(before moment: NIODeadline) -> UInt64 { moment.uptimeNanoseconds / tickLength }

    /// The first tick at or after the moment.
    private static func tick(after moment: NIODeadline) -> UInt64 {
        moment.uptimeNanoseconds / tickLength + (moment.uptimeNanoseconds % tickLength == 0 ? 0 : 1)
    }
}
