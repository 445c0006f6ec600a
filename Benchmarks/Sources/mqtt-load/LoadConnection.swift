import NIOCore

/// One load-generating MQTT 3.1.1 connection: sends prepared PUBLISH packets with QoS 1 and times each PUBACK.
///
/// The generator must never be the bottleneck, so it writes bytes and counts four-byte acknowledgements itself instead
/// of going through a codec.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let isReady: EventLoopPromise<Void>
    private let topic: [UInt8]
    private let window: Int
    private let latencies: Latencies
    /// Sends again at once after each acknowledgement.
    var isClosedLoop = false
    private var payloads: [Payload]
    private var nextPayload: Int
    private var recordTime: Int64
    private var sentAt: [Int64]
    private var nextID: UInt16 = 1
    private(set) var inFlight = 0
    private var rest: [UInt8] = []
    private var isConnected = false
    private var backlog: [Int64] = []
    private(set) var context: ChannelHandlerContext?

    init(
        eventLoop: any EventLoop, topic: String, payloads: [Payload], first: Int, window: Int, recordTime: Int64,
        latencies: Latencies
    ) {
        self.latencies = latencies
        isReady = eventLoop.makePromise()
        self.topic = Array(topic.utf8)
        self.payloads = payloads
        nextPayload = payloads.isEmpty ? 0 : first % payloads.count
        self.window = window
        self.recordTime = recordTime
        sentAt = [Int64](repeating: 0, count: 65_536)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        isReady.fail(ChannelError.eof)
    }

    func channelActive(context: ChannelHandlerContext) {
        var connect = context.channel.allocator.buffer(capacity: 32)
        connect.writeBytes([0x10, 0x0C, 0x00, 0x04, 0x4D, 0x51, 0x54, 0x54, 0x04, 0x02, 0x00, 0x00, 0x00, 0x00])
        context.writeAndFlush(wrapOutboundOut(connect), promise: nil)
    }

    /// Sends one message meant for `intended` nanoseconds; waits its turn when the window is full.
    func send(intended: Int64) {
        guard inFlight < window else { return backlog.append(intended) }
        guard let context else { return }
        write(intended, context)
        context.flush()
    }

    func fill(now: Int64) {
        guard let context else { return }
        while inFlight < window { write(now, context) }
        context.flush()
    }

    private func write(_ intended: Int64, _ context: ChannelHandlerContext) {
        payloads[nextPayload].stamp(&recordTime)
        let payload = payloads[nextPayload].bytes
        nextPayload = (nextPayload + 1) % payloads.count
        let length = 2 + topic.count + 2 + payload.count
        var packet = context.channel.allocator.buffer(capacity: length + 3)
        packet.writeInteger(UInt8(0x32))
        if length < 128 {
            packet.writeInteger(UInt8(length))
        } else {
            packet.writeInteger(UInt8(length & 0x7F | 0x80))
            packet.writeInteger(UInt8(length >> 7))
        }
        packet.writeInteger(UInt16(topic.count))
        packet.writeBytes(topic)
        packet.writeInteger(nextID)
        packet.writeBytes(payload)
        sentAt[Int(nextID)] = intended
        nextID = nextID == .max ? 1 : nextID + 1
        inFlight += 1
        context.write(wrapOutboundOut(packet), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        rest.append(contentsOf: bytes.readableBytesView)
        if !isConnected {
            guard rest.count >= 4 else { return }
            guard rest[0] == 0x20, rest[3] == 0 else { return isReady.fail(ChannelError.eof) }
            rest.removeFirst(4)
            isConnected = true
            isReady.succeed()
        }
        let now = Int64(NIODeadline.now().uptimeNanoseconds)
        var index = 0
        while index + 4 <= rest.count, rest[index] == 0x40 {
            let id = Int(rest[index + 2]) << 8 | Int(rest[index + 3])
            index += 4
            inFlight -= 1
            latencies.add(nanoseconds: now - sentAt[id])
            if isClosedLoop {
                write(now, context)
            } else if !backlog.isEmpty {
                write(backlog.removeFirst(), context)
            }
        }
        rest.removeFirst(index)
        if index > 0 { context.flush() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isReady.fail(error)
        context.close(promise: nil)
    }
}

extension LoadConnection {
    /// Closes the connection and is done when it is closed.
    func close() -> EventLoopFuture<Void> {
        guard let channel = context?.channel else { return isReady.futureResult }
        channel.close(promise: nil)
        return channel.closeFuture
    }
}
