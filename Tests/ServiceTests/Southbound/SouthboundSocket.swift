import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A bare TCP connection, for peers that do not even speak TLS.
final class SouthboundSocket: Sendable {
    private final class Watch: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let isClosed = Mutex(false)
        func channelInactive(context: ChannelHandlerContext) { isClosed.withLock { $0 = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any NIOCore.Channel
    private let watch: Watch

    private init(channel: any NIOCore.Channel, watch: Watch) {
        self.channel = channel
        self.watch = watch
    }

    static func connect(port: Int) async throws -> SouthboundSocket {
        let watch = Watch()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(watch) }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return SouthboundSocket(channel: channel, watch: watch)
    }

    /// A connection that the server closes at once; the client may learn of it before or after it thinks it stands.
    static func isTurnedAway(port: Int) async throws {
        guard let socket = try? await connect(port: port) else { return }
        try await socket.closed()
    }

    var isClosed: Bool { watch.isClosed.withLock { $0 } }

    func send(_ text: String) {
        // One byte for each scalar, so that a test can write any byte.
        channel.writeAndFlush(
            ByteBuffer(bytes: text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }), promise: nil)
    }

    func close() async { try? await channel.close() }

    func closed() async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while !isClosed, clock.now < deadline { try await clock.sleep(for: .milliseconds(2)) }
        #expect(isClosed)
    }
}
