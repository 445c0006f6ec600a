import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Northbound

@Suite("Requests for another protocol")
struct OtherProtocolTests {
    /// Counts how often more is wanted of the socket.
    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = HTTPResponsePart
        var reads = 0
        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    private static func isOver(after head: HTTPRequest) throws -> Bool {
        let socket = Socket()
        let channel = EmbeddedChannel(handlers: [socket, OtherProtocol()])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(HTTPRequestPart.head(head))
        socket.reads = 0
        channel.read()
        #expect(socket.reads == 1, "the rest of the request is read")
        try channel.writeInbound(HTTPRequestPart.end(nil))
        socket.reads = 0
        channel.read()
        let isRead = socket.reads > 0
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .notFound)))
        #expect(channel.isActive)
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        #expect(channel.isActive == isRead)
        return !isRead
    }

    @Test("the connection ends with the answer, and nothing more is read meanwhile")
    func ends() throws {
        var head = HTTPRequest(method: .get, scheme: "https", authority: "x", path: "/")
        #expect(try !Self.isOver(after: head))
        head.headerFields[.upgrade] = "x"
        #expect(try Self.isOver(after: head))
        #expect(try Self.isOver(after: HTTPRequest(method: .connect, scheme: nil, authority: "x:1", path: nil)))
    }
}
