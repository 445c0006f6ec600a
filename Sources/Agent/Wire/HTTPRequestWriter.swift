public import NIOCore
public import NIOHTTP1

/// Lets an asynchronous channel send request parts: NIO's own outbound part may hold a file region, which can not
/// cross threads, so parts travel with plain buffers and are wrapped here, on the channel's loop.
public final class HTTPRequestWriter: ChannelOutboundHandler {
    /// What the agent writes: parts with plain buffers.
    public typealias OutboundIn = HTTPPart<HTTPRequestHead, ByteBuffer>
    /// What NIO's encoder takes.
    public typealias OutboundOut = HTTPClientRequestPart

    /// A writer for one channel; add it behind the HTTP client handlers.
    public init() {}

    /// Wraps a part and passes it on.
    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPClientRequestPart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let buffer): .body(.byteBuffer(buffer))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
