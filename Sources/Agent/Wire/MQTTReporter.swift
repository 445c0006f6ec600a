import MQTT
public import NIOCore
import NIOPosix
import NIOSSL

/// One device's MQTT connection for reporting: publishes with QoS 1 and returns when the server has acknowledged.
public final class MQTTReporter: Sendable {
    /// The server refused the connection or a message, or the connection is gone.
    public struct Failure: Error, CustomStringConvertible {
        /// What happened.
        public var description: String
    }

    private let channel: any Channel
    private let handler: NIOLoopBound<ReporterHandler>

    private init(channel: any Channel, handler: NIOLoopBound<ReporterHandler>) {
        self.channel = channel
        self.handler = handler
    }

    /// Connects with the device's certificate and waits for CONNACK.
    public static func connect(
        to server: ServerAddress, identity: DeviceIdentity, group: any EventLoopGroup
    ) async throws -> MQTTReporter {
        let tls = try server.tls(identity: identity)
        let name = server.serverName
        let channel = try await ClientBootstrap(group: group)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: tls, serverHostname: name))
                    try channel.pipeline.syncOperations.addHandler(ReporterHandler(eventLoop: channel.eventLoop))
                }
            }
            .connect(host: server.host, port: server.mqttPort).get()
        do {
            let handler = try await channel.eventLoop.submit {
                NIOLoopBound(
                    try channel.pipeline.syncOperations.handler(type: ReporterHandler.self),
                    eventLoop: channel.eventLoop)
            }.get()
            try await channel.eventLoop.flatSubmit { handler.value.connected.futureResult }.get()
            return MQTTReporter(channel: channel, handler: handler)
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    /// Publishes to one's own `topic` and returns once the server has acknowledged.
    public func publish(_ payload: ByteBuffer, to topic: String = "telemetry") async throws {
        let topic = try Topic(topic)
        let (handler, channel) = (handler, channel)
        try await channel.eventLoop.flatSubmit { handler.value.publish(payload, to: topic) }.get()
    }

    /// Closes unless the connection has ended by itself within `time`; whoever waits for an acknowledgement learns it.
    public func close(after time: TimeAmount) {
        let channel = channel
        channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    /// Says goodbye and closes.
    public func close() async {
        let (handler, channel) = (handler, channel)
        channel.eventLoop.execute { handler.value.disconnect() }
        try? await channel.closeFuture.get()
    }
}

/// The client's side of one connection; lives on its event loop.
private final class ReporterHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Done when the server accepts the connection.
    let connected: EventLoopPromise<Void>
    private let eventLoop: any EventLoop
    private var decoder = PacketDecoder(version: .v311)
    private var input = ByteBuffer()
    private var context: ChannelHandlerContext?
    private var open: [UInt16: EventLoopPromise<Void>] = [:]
    private var lastID: UInt16 = 0

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        connected = eventLoop.makePromise()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { sendConnect(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        sendConnect(context)
        context.fireChannelActive()
    }

    private func sendConnect(_ context: ChannelHandlerContext) {
        send(.connect(Connect(version: .v311, clientID: "", cleanStart: true, keepAlive: 0)))
    }

    func publish(_ payload: ByteBuffer, to topic: Topic) -> EventLoopFuture<Void> {
        guard let context, context.channel.isActive, open.count < Int(UInt16.max) else {
            return eventLoop.makeFailedFuture(MQTTReporter.Failure(description: "not connected"))
        }
        repeat { lastID = lastID == .max ? 1 : lastID + 1 } while open[lastID] != nil
        let promise = eventLoop.makePromise(of: Void.self)
        open[lastID] = promise
        send(.publish(Publish(topic: topic, payload: payload, qos: .atLeastOnce, packetID: lastID)))
        return promise.futureResult
    }

    func disconnect() {
        send(.disconnect(Disconnect(reason: .success)))
        context?.close(promise: nil)
    }

    private func send(_ packet: Packet) {
        guard let context else { return }
        var output = context.channel.allocator.buffer(capacity: 128)
        do throws(ProtocolViolation) {
            try packet.write(to: &output, version: .v311)
            context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        } catch {
            fail(MQTTReporter.Failure(description: error.message.description))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        input.writeBuffer(&bytes)
        do throws(ProtocolViolation) {
            while let packet = try decoder.next(from: &input) { receive(packet) }
        } catch {
            fail(MQTTReporter.Failure(description: error.message.description))
            context.close(promise: nil)
        }
        input.discardReadBytes()
    }

    private func receive(_ packet: Packet) {
        switch packet {
        case .connack(let answer) where !answer.reason.isError: connected.succeed()
        case .connack(let answer):
            fail(MQTTReporter.Failure(description: "the server refused the connection (\(answer.reason))"))
        case .puback(let ack): open.removeValue(forKey: ack.packetID)?.succeed()
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(MQTTReporter.Failure(description: "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
        context.close(promise: nil)
    }

    private func fail(_ error: any Error) {
        connected.fail(error)
        for promise in open.values { promise.fail(error) }
        open = [:]
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail(MQTTReporter.Failure(description: "the connection ended"))
    }
}
