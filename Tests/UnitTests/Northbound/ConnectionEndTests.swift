import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Northbound

@Suite("The end of people's connections")
struct ConnectionEndTests {
    private static func connection() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handlers: [ConnectionEnd(), RequestProgress()])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private static func begin(_ channel: EmbeddedChannel) throws {
        let head = HTTPRequest(method: .get, scheme: "https", authority: "x", path: "/")
        try channel.writeInbound(HTTPRequestPart.head(head))
    }

    private static func answer(_ channel: EmbeddedChannel) throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    @Test("an idle connection is closed a moment after the server began to stop")
    func idle() throws {
        let channel = try Self.connection()
        try Self.begin(channel)
        try Self.answer(channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(channel.isActive)
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: ConnectionEnd.farewell)
        #expect(!channel.isActive)
    }

    @Test("a request in progress is finished first, however long it takes")
    func busy() throws {
        let channel = try Self.connection()
        try Self.begin(channel)
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(channel.isActive)
        try Self.answer(channel)
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: ConnectionEnd.farewell)
        #expect(!channel.isActive)
    }

    @Test("a request that came with the goodbye is finished as well")
    func late() throws {
        let channel = try Self.connection()
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        try Self.begin(channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(channel.isActive)
        try Self.answer(channel)
        channel.embeddedEventLoop.advanceTime(by: ConnectionEnd.farewell)
        #expect(!channel.isActive)
    }

    @Test("listeners count as open from when they accept until they stop")
    func listeners() throws {
        let open = OpenListeners(expected: [.people, .metrics])
        #expect(open.missing == ["the people listener is not open", "the metrics listener is not open"])
        open.opened(.people, at: try SocketAddress(ipAddress: "127.0.0.1", port: 8443))
        #expect(open[.people]?.port == 8443)
        open.opened(.metrics, at: nil)
        #expect(open.missing.isEmpty)
        open.closed(.people)
        #expect(open.missing == ["the people listener is not open"] && open[.people] == nil)
    }
}
