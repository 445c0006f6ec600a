import NIOCore
import NIOHTTPTypes

/// Closes a person's connection when the server stops and no request is in progress on it.
///
/// TLS and HTTP/2 say goodbye and wait for an answer, which an idle program may give after minutes or never. So this
/// one stands before them all and closes the socket when the goodbye had its moment.
final class ConnectionEnd: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    /// How long a goodbye may take.
    static let farewell = TimeAmount.milliseconds(300)

    private var context: ChannelHandlerContext?
    private var requests = 0
    private var isStopping = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isStopping = true
            closeSoon()
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// A request has begun on the connection, or on a stream of it.
    func requestBegan() { requests += 1 }

    /// A request's answer has been written, or will never be.
    func requestEnded() {
        requests -= 1
        closeSoon()
    }

    private func closeSoon() {
        guard isStopping, requests == 0, let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.farewell) { bound.value.close() }
    }

    private func close() { if requests == 0 { context?.close(promise: nil) } }
}

/// Tells the connection's end when a request is in progress; it stands in the connection with HTTP/1, in each stream
/// with HTTP/2.
final class RequestProgress: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var end: ConnectionEnd?
    private var open = 0

    func handlerAdded(context: ChannelHandlerContext) {
        let connection = context.channel.parent.flatMap { $0.parent == nil ? nil : $0 } ?? context.channel
        end = try? connection.pipeline.syncOperations.handler(type: ConnectionEnd.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            open += 1
            end?.requestBegan()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let written = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.finishOne() }
        context.write(data, promise: written)
    }

    private func finishOne() {
        guard open > 0 else { return }
        open -= 1
        end?.requestEnded()
    }

    private func finish() { while open > 0 { finishOne() } }
}
