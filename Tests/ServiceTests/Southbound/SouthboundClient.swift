import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// A TLS client that a test drives byte by byte.
final class SouthboundClient: Sendable {
    struct Options: Sendable {
        var credential: SouthboundFixture.Credential?
        var protocols: [String] = ["http/1.1"]
        var version: TLSVersion?
        var reads = true
        /// Bytes that the kernel holds for the client, so that a server soon notices who does not read.
        var window: Int?
    }

    struct Response: Sendable {
        var status: Int
        var headers: [String: String]
        var body: String
    }

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        struct State {
            var bytes: [UInt8] = []
            var isClosed = false
            var error: (any Error)?
        }
        let state = Mutex(State())

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            state.withLock { $0.bytes += bytes.readableBytesView }
        }

        func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            state.withLock { if $0.error == nil { $0.error = error } }
            context.close(promise: nil)
        }
    }

    let channel: any NIOCore.Channel
    private let collector: Collector

    private init(channel: any NIOCore.Channel, collector: Collector) {
        self.channel = channel
        self.collector = collector
    }

    /// A client whose TCP connection stands; TLS goes on by itself.
    static func connect(
        port: Int, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, _ options: Options = Options()
    ) async throws -> SouthboundClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        tls.applicationProtocols = options.protocols
        tls.minimumTLSVersion = options.version ?? .tlsv12
        tls.maximumTLSVersion = options.version
        if let credential = options.credential {
            tls.certificateChain = [.certificate(try credential.certificate)]
            tls.privateKey = .privateKey(try credential.privateKey)
        }
        let context = try NIOSSLContext(configuration: tls)
        let collector = Collector()
        var bootstrap = ClientBootstrap(group: group)
        if let window = options.window {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(window))
        }
        let channel =
            try await bootstrap
            .channelOption(.autoRead, value: options.reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLClientHandler(context: context, serverHostname: nil), collector)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return SouthboundClient(channel: channel, collector: collector)
    }

    /// Everything received so far.
    var received: String { collector.state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }
    var isClosed: Bool { collector.state.withLock { $0.isClosed } }

    /// The bytes received so far, which are taken out.
    func takeBytes() -> [UInt8] {
        collector.state.withLock { state in
            defer { state.bytes = [] }
            return state.bytes
        }
    }

    func send(_ text: String) { send(ByteBuffer(string: text)) }
    func send(_ bytes: ByteBuffer) { channel.writeAndFlush(bytes, promise: nil) }

    func close() async { try? await channel.close() }

    /// Waits until `condition` holds for what was received; false when the connection closed or it took too long.
    func wait(until condition: (String) -> Bool) async throws -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while true {
            let (text, isClosed) = collector.state.withLock { (String(decoding: $0.bytes, as: UTF8.self), $0.isClosed) }
            if condition(text) { return true }
            if isClosed || clock.now > deadline { return false }
            try await clock.sleep(for: .milliseconds(2))
        }
    }

    /// Waits until the server has closed.
    func closed() async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while !isClosed, clock.now < deadline { try await clock.sleep(for: .milliseconds(2)) }
        #expect(isClosed)
    }

    /// The next response, taken out of what was received; nil when the connection closes before it is complete.
    func response() async throws -> Response? {
        var response: Response?
        _ = try await wait { _ in
            collector.state.withLock { state in
                response = Self.take(&state.bytes)
                return response != nil
            }
        }
        return response
    }

    private static func take(_ bytes: inout [UInt8]) -> Response? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        let length = Int(headers["content-length"] ?? "") ?? 0
        let head = text[..<end.upperBound].utf8.count
        guard bytes.count >= head + length else { return nil }
        let body = String(decoding: bytes[head..<head + length], as: UTF8.self)
        bytes.removeFirst(head + length)
        return Response(status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: headers, body: body)
    }

    /// A request and its response.
    func ask(_ method: String, _ target: String, headers: [String] = [], body: String? = nil) async throws -> Response?
    {
        var text = "\(method) \(target) HTTP/1.1\r\nhost: localhost\r\n"
        for header in headers { text += header + "\r\n" }
        if let body { text += "content-length: \(body.utf8.count)\r\n" }
        send(text + "\r\n" + (body ?? ""))
        return try await response()
    }
}
