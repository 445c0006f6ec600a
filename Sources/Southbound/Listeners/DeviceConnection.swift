import Base
import NIOCore
import NIOSSL
import Trust

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What a connection calls on the handlers of the protocol it speaks, on its event loop.
protocol ConnectionOwner: AnyObject {
    /// The deadline that the owner set has come.
    func deadlineReached()
    /// The server stops: finish what was begun and close.
    func drain()
}

/// One accepted connection from its first byte to its last: its place among its loop's connections, its counts, its
/// one deadline.
///
/// Guard of `@unchecked Sendable`: every mutable member is touched on the channel's event loop only.
final class DeviceConnection: @unchecked Sendable {
    /// Where the connection lies on its loop's wheel.
    struct WheelPlace {
        var tick: UInt64
        var index: Int
    }

    let channel: any NIOCore.Channel
    let address: ClientAddress
    private let loop: ConnectionLoop
    private let counts: SourceCounts

    /// What the verifier found during the handshake; a resumed session has none.
    var verified: VerifiedDevice?
    /// The handlers in charge, once there are any.
    var owner: (any ConnectionOwner)?
    private(set) var isOpen = true
    private(set) var isHandshaking = true
    var deadline: NIODeadline = .distantFuture
    var place: WheelPlace?
    // The neighbours in the loop's lists; unowned would do, but a strong link is cheaper and `release` cuts it.
    fileprivate(set) var older: DeviceConnection?
    fileprivate(set) var newer: DeviceConnection?

    init(channel: any NIOCore.Channel, address: ClientAddress, loop: ConnectionLoop, counts: SourceCounts) {
        self.channel = channel
        self.address = address
        self.loop = loop
        self.counts = counts
    }

    /// Wakes the owner, or ends the handshake, when this moment comes.
    func setDeadline(_ deadline: NIODeadline) {
        guard isOpen else { return }
        self.deadline = deadline
        if deadline != .distantFuture { loop.wheel.place(self) }
    }

    /// Wakes the owner after this time from now.
    func setDeadline(in time: Duration) { setDeadline(channel.eventLoop.now + TimeAmount(time)) }

    func reachDeadline() {
        if isHandshaking {
            loop.counters.handshakeTimeouts.add()
            cut()
        } else if let owner {
            owner.deadlineReached()
        }
    }

    /// The handshake succeeded, and `owner`, if the protocol has one, takes over.
    func finishHandshake(owner: (any ConnectionOwner)?) {
        self.owner = owner
        guard isOpen, isHandshaking else { return }
        isHandshaking = false
        verified = nil
        deadline = .distantFuture
        loop.handshakes.remove(self)
        loop.open.append(self)
        counts.finishHandshake(address)
    }

    /// Gives everything back that the connection counts for; the channel calls it when it has closed.
    func release() {
        guard isOpen else { return }
        isOpen = false
        loop.wheel.remove(self)
        if isHandshaking {
            loop.handshakes.remove(self)
            counts.finishHandshake(address)
        } else {
            loop.open.remove(self)
        }
        counts.end(address)
        owner = nil
        verified = nil
    }

    /// The server stops.
    func drain() {
        if isHandshaking {
            cut()
        } else if let owner {
            owner.drain()
        } else {
            channel.pipeline.fireUserInboundEventTriggered(DeviceConnectionEnd.serverStops)
        }
    }

    /// Closes at once, past TLS: no farewell, and what the peer did not read yet is dropped.
    func cut() { channel.cut() }
}

extension NIOCore.Channel {
    /// Closes the socket at once, on its event loop.
    ///
    /// TLS would say goodbye and wait for the answer, and the kernel would go on sending what it holds; a peer that
    /// has lost its access, or reads nothing, gets neither.
    func cut() {
        eventLoop.assertInEventLoop()
        // On the loop itself the option is set before this returns; a failure means that the socket is gone.
        _ = (self as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        guard let tls = try? pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) else {
            return close(promise: nil)
        }
        tls.close(promise: nil)
    }
}

/// A list of connections in the order they came, linked through the connections themselves.
struct ConnectionList {
    private(set) var oldest: DeviceConnection?
    private var newest: DeviceConnection?
    private(set) var count = 0

    mutating func append(_ connection: DeviceConnection) {
        connection.older = newest
        newest?.newer = connection
        newest = connection
        if oldest == nil { oldest = connection }
        count += 1
    }

    mutating func remove(_ connection: DeviceConnection) {
        if let older = connection.older { older.newer = connection.newer } else { oldest = connection.newer }
        if let newer = connection.newer { newer.older = connection.older } else { newest = connection.older }
        connection.older = nil
        connection.newer = nil
        count -= 1
    }

    /// All of them now; a caller may close them while it goes through.
    var all: [DeviceConnection] {
        var all: [DeviceConnection] = []
        var next = oldest
        while let connection = next {
            all.append(connection)
            next = connection.newer
        }
        return all
    }
}

/// What the connections of one event loop share.
///
/// Guard of `@unchecked Sendable`: every mutable member is touched on `eventLoop` only.
final class ConnectionLoop: @unchecked Sendable {
    let eventLoop: any EventLoop
    let counters: SouthboundCounters
    let wheel: DeadlineWheel
    let date = HTTPDate()
    var handshakes = ConnectionList()
    var open = ConnectionList()
    /// What an answer is written into before TLS takes it.
    var scratch = ByteBuffer()
    private(set) var isDraining = false

    init(eventLoop: any EventLoop, counters: SouthboundCounters) {
        self.eventLoop = eventLoop
        self.counters = counters
        wheel = DeadlineWheel(eventLoop: eventLoop)
    }

    /// Asks every connection to finish.
    func drain() {
        isDraining = true
        for connection in handshakes.all + open.all { connection.drain() }
    }

    /// Closes every connection at once.
    func cut() {
        for connection in handshakes.all + open.all { connection.cut() }
    }
}
