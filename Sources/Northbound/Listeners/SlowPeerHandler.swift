import Base
import NIOCore
import NIOHTTPTypes

/// Closes a connection, or a stream of one, whose peer is too slow.
final class SlowPeerHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let interval: TimeAmount
    private let cutOff: Counter
    private var peer: SlowPeer
    private var check: Scheduled<Void>?

    /// Looks at the peer now and then, and counts a closed connection.
    init(stall: Duration, cutOff: Counter) {
        self.cutOff = cutOff
        peer = SlowPeer(stall: stall)
        interval = min(.seconds(5), TimeAmount(stall))
    }

    private static func now(_ context: ChannelHandlerContext) -> Int64 {
        Int64(clamping: context.eventLoop.now.uptimeNanoseconds)
    }

    func handlerAdded(context: ChannelHandlerContext) { schedule(context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        check?.cancel()
        check = nil
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        check = context.eventLoop.scheduleTask(in: interval) {
            let (handler, context) = bound.value
            guard handler.check != nil, context.channel.isActive else { return }
            guard !handler.peer.isTooSlow(at: Self.now(context)) else {
                handler.cutOff.add()
                return context.close(promise: nil)
            }
            handler.schedule(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        check?.cancel()
        check = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            peer.requestBegan()
            peer.received(0, at: Self.now(context))
        case .body(let bytes): peer.received(bytes.readableBytes, at: Self.now(context))
        case .end: peer.requestEnded()
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        peer.readBegan(at: Self.now(context))
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        peer.writabilityChanged(context.channel.isWritable, at: Self.now(context))
        context.fireChannelWritabilityChanged()
    }
}
