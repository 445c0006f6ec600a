import Base
import Fleet
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS

/// Sees a connection through its handshake, installs the protocol that was agreed on, and leaves.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: DeviceConnection
    private let loop: ConnectionLoop
    private let entrance: Entrance
    private let kind: ListenerKind
    /// What arrives while the protocol's handlers are on their way.
    private var early: [ByteBuffer]?
    private var earlyBytes = 0

    init(connection: DeviceConnection, loop: ConnectionLoop, entrance: Entrance, kind: ListenerKind) {
        self.connection = connection
        self.loop = loop
        self.entrance = entrance
        self.kind = kind
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let agreed)? = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        loop.counters.handshakes.add()
        let device: AdmittedDevice?
        do {
            let certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate()
            device = try entrance.check.device(of: certificate, on: connection)
        } catch {
            return connection.cut()
        }
        if loop.isDraining { return context.close(promise: nil) }
        // Whoever offers nothing, or something unknown, on the device listener speaks HTTP.
        if kind == .mqtt || agreed == "mqtt" {
            installMQTT(context, device)
        } else {
            installHTTP(context, device)
        }
    }

    private func installHTTP(_ context: ChannelHandlerContext, _ device: AdmittedDevice?) {
        if let device, !entrance.http.registry.register(device, on: context.channel, by: entrance.check.directory) {
            return connection.cut()
        }
        let handler = DeviceHTTPHandler(service: entrance.http, connection: connection, loop: loop, device: device)
        connection.finishHandshake(owner: handler)
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandlers(Self.httpDecoder(), handler)
            pipeline.removeHandler(context: context, promise: nil)
        } catch {
            connection.cut()
        }
    }

    private func installMQTT(_ context: ChannelHandlerContext, _ device: AdmittedDevice?) {
        connection.finishHandshake(owner: nil)
        early = []
        let identity = ConnectionIdentity(device: device, connection: connection)
        entrance.mqttPipeline(context.channel, identity).assumeIsolated().whenComplete { result in
            guard case .success = result else { return self.connection.cut() }
            let early = self.early ?? []
            self.early = nil
            for bytes in early { context.fireChannelRead(self.wrapInboundOut(bytes)) }
            if !early.isEmpty { context.fireChannelReadComplete() }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard early != nil else { return context.fireChannelRead(data) }
        let bytes = unwrapInboundIn(data)
        earlyBytes += bytes.readableBytes
        guard earlyBytes <= Limits.earlyBytes else { return connection.cut() }
        early?.append(bytes)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if connection.isHandshaking { loop.counters.handshakeFailures.add() }
        context.close(promise: nil)
    }

    /// The decoder of requests with our limits.
    ///
    /// Behind a request that asks for another protocol it reads nothing more and keeps what comes, which has a bound too.
    static func httpDecoder() -> ByteToMessageHandler<HTTPRequestDecoder> {
        ByteToMessageHandler(
            HTTPRequestDecoder(limitConfiguration: decoderLimits), maximumBufferSize: Limits.undecodedBytes)
    }

    private static let decoderLimits: NIOHTTPDecoderLimitConfiguration = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Limits.headerFieldBytes
        limits.maxHeaderListSize = Limits.headerBytes
        limits.maxHeaderFieldCount = Limits.headerFields
        return limits
    }()
}
