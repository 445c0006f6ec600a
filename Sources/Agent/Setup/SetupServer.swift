import Base
package import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Serves the set-up page on an address of the device itself, to a few at a time, one request for each connection.
///
/// Another site in somebody's browser can neither read the page (the Host must be the address, which no foreign name is)
/// nor send the form (it does not know the form's token, and its Origin is another).
package final class SetupServer: Sendable {
    private let address: SetupAddress
    private let page: @Sendable () async -> SetupPage
    private let take: @Sendable (SetupForm) async throws -> Void
    private let open = Atomic(0)
    private let port = Atomic(0)
    /// What every form carries.
    package let token: String

    /// A server of `page`; what is entered goes to `take`.
    package init(
        _ address: SetupAddress, page: @escaping @Sendable () async -> SetupPage,
        take: @escaping @Sendable (SetupForm) async throws -> Void
    ) {
        (self.address, self.page, self.take) = (address, page, take)
        var generator = SystemRandomNumberGenerator()
        token = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }.hex
    }

    /// Listens until cancelled; where the address is not there yet it is tried again and again.
    package func keepRunning(
        on group: any EventLoopGroup, log: AgentLog, pause: Duration = AgentLimits.setupPause,
        ready: @Sendable (Int) -> Void = { _ in }
    ) async {
        var said = ""
        while !Task.isCancelled {
            do {
                try await run(on: group, ready: ready)
            } catch is CancellationError {
                return
            } catch {
                if "\(error)" != said { log.say("the set-up page can not be shown", ["reason": "\(error)"]) }
                said = "\(error)"
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// Listens until cancelled; throws when the address is not to be had. `ready` learns the port.
    package func run(on group: any EventLoopGroup, ready: @Sendable (Int) -> Void = { _ in }) async throws {
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 8)
            .bind(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(10)))
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(HTTPResponseWriter())
                    try pipeline.addHandler(SetupIdle())
                    return try NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>(
                        wrappingChannelSynchronously: channel)
                }
            }
        port.store(listener.channel.localAddress?.port ?? 0, ordering: .relaxed)
        ready(port.load(ordering: .relaxed))
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { clients in
                for try await client in clients {
                    guard open.add(1, ordering: .relaxed).newValue <= AgentLimits.setupClients else {
                        open.subtract(1, ordering: .relaxed)
                        group.addTask { try? await client.executeThenClose { _, _ in } }
                        continue
                    }
                    group.addTask {
                        // One that goes away in between is no trouble.
                        try? await self.serve(client)
                        self.open.subtract(1, ordering: .relaxed)
                    }
                }
            }
        }
    }

    private func serve(
        _ client: NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>
    ) async throws {
        try await client.executeThenClose { inbound, outbound in
            var (head, body): (HTTPRequestHead?, [UInt8]) = (nil, [])
            for try await part in inbound {
                switch part {
                case .head(let request):
                    // What follows such a request is read by nobody, and would only be kept.
                    guard request.method != .CONNECT, !request.headers.contains(name: "upgrade") else {
                        return try await outbound.write(
                            contentsOf: Self.answer(.notImplemented, "This speaks HTTP/1.1 and nothing else.\n"))
                    }
                    head = request
                case .body(let bytes):
                    guard body.count + bytes.readableBytes <= AgentLimits.setupBytes else {
                        return try await outbound.write(
                            contentsOf: Self.answer(.payloadTooLarge, "That is too much.\n"))
                    }
                    body.append(contentsOf: bytes.readableBytesView)
                case .end:
                    guard let head else { return }
                    return try await outbound.write(contentsOf: await answer(to: head, body))
                }
            }
        }
    }

    /// The answer to one request.
    private func answer(
        to head: HTTPRequestHead, _ body: [UInt8]
    ) async -> [HTTPPart<HTTPResponseHead, ByteBuffer>] {
        guard head.headers["host"].count == 1, let host = head.headers.first(name: "host"),
            address.isOwn(host, port: port.load(ordering: .relaxed))
        else { return Self.answer(.misdirectedRequest, "Use the device's own address.\n") }
        if let origin = head.headers.first(name: "origin"), origin != "http://\(host)" {
            return Self.answer(.forbidden, "This came from another site.\n")
        }
        guard head.uri == "/" else { return Self.answer(.notFound, "There is nothing here.\n") }
        var shown = await page()
        switch head.method {
        case .GET: return Self.answer(.ok, shown.html(token), type: "text/html; charset=utf-8")
        case .POST:
            guard head.headers.first(name: "content-type")?.hasPrefix("application/x-www-form-urlencoded") == true
            else {
                return Self.answer(.unsupportedMediaType, "This is no form.\n")
            }
            do {
                try await take(try SetupForm(body: body, token: token))
                shown.message = "It is set up. The agent starts anew and calls the server."
                return Self.answer(.ok, shown.html(token), type: "text/html; charset=utf-8")
            } catch {
                shown.message = (error as? SetupForm.Fault)?.message ?? "\(error)"
                return Self.answer(.badRequest, shown.html(token), type: "text/html; charset=utf-8")
            }
        default: return Self.answer(.methodNotAllowed, "GET or POST.\n")
        }
    }

    private static func answer(
        _ status: HTTPResponseStatus, _ text: String, type: String = "text/plain; charset=utf-8"
    ) -> [HTTPPart<HTTPResponseHead, ByteBuffer>] {
        let headers: HTTPHeaders = [
            "Content-Type": type, "Content-Length": String(text.utf8.count), "Connection": "close",
            "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            "Content-Security-Policy":
                "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        return [.head(head), .body(ByteBuffer(string: text)), .end(nil)]
    }
}

/// Where the set-up page is: an address in numbers, and its port.
package struct SetupAddress: Sendable, Hashable {
    /// The address.
    package let host: String
    /// The port.
    package let port: Int

    /// The address that `text` names, such as `192.168.0.1:8480` or `[::1]:8480`; nil for names, which could be anybody's,
    /// and for every address at once.
    package init?(_ text: String) {
        guard let (host, port) = ServerAddress.split(text),
            (try? SocketAddress(ipAddress: host, port: port)) != nil, !["0.0.0.0", "::"].contains(host)
        else { return nil }
        self.init(host: host, port: port)
    }

    init(host: String, port: Int) { (self.host, self.port) = (host, port) }

    /// Whether a request's Host is this address, or the loopback's usual name.
    func isOwn(_ text: String, port: Int) -> Bool {
        let own = host.contains(":") ? "[\(host)]" : host
        return text == "\(own):\(port)" || (port == 80 && text == own)
            || (["127.0.0.1", "::1"].contains(host) && text == "localhost:\(port)")
    }
}

/// Lets an asynchronous channel send answers: parts with plain buffers, which may cross threads.
private final class HTTPResponseWriter: ChannelOutboundHandler {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let buffer): .body(.byteBuffer(buffer))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}

/// Ends a connection on which nothing happens.
private final class SetupIdle: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
