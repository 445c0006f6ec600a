import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends a connection on which somebody wants to speak another protocol: what follows such a request is read by nobody, and
/// the decoder would only keep it.
final class OtherProtocol: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var isAsked = false
    /// Such a request has come whole.
    private var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let request): isAsked = request.method == .connect || request.headerFields[.upgrade] != nil
        case .body: break
        case .end: isOver = isAsked
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        if !isOver { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOver, case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        context.writeAndFlush(data, promise: promise)
        context.close(promise: nil)
    }
}
