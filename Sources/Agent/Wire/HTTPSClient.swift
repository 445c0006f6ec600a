package import NIOCore
package import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks the configured server, directly or through a proxy; a connection for each question, and nobody else is asked.
package struct HTTPSClient: Sendable {
    /// There was no answer, or one that is too large.
    package struct Failure: Error, CustomStringConvertible {
        /// What happened.
        package var description: String
    }

    /// An answer that was small enough to be kept.
    package struct Answer: Sendable {
        /// The HTTP status.
        package var status: Int
        /// The body.
        package var body: [UInt8]
    }

    private let server: ServerAddress
    private let group: any EventLoopGroup

    /// A client of `server` on `group`.
    package init(server: ServerAddress, group: any EventLoopGroup) {
        self.server = server
        self.group = group
    }

    /// Asks once and collects the answer.
    package func ask(
        _ method: HTTPMethod, _ path: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil,
        identity: DeviceIdentity? = nil
    ) async throws -> Answer {
        var answer = Answer(status: 0, body: [])
        try await exchange(method, path, headers: headers, body: body, identity: identity) { head in
            answer.status = Int(head.status.code)
        } onBody: { bytes in
            guard answer.body.count + bytes.readableBytes <= AgentLimits.answerBytes else {
                throw Failure(description: "the answer is larger than \(AgentLimits.answerBytes) bytes")
            }
            answer.body.append(contentsOf: bytes.readableBytesView)
        }
        return answer
    }

    /// Asks once and hands the answer on as it comes; nothing more is read until a piece was taken.
    package func exchange(
        _ method: HTTPMethod, _ path: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil,
        identity: DeviceIdentity?, onHead: (HTTPResponseHead) throws -> Void, onBody: (ByteBuffer) throws -> Void
    ) async throws {
        var headers = headers
        headers.replaceOrAdd(name: "Host", value: server.authority)
        headers.replaceOrAdd(name: "Connection", value: "close")
        if let body { headers.replaceOrAdd(name: "Content-Length", value: String(body.count)) }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        let channel = try await connect(identity, patience: AgentLimits.patience(for: body?.count ?? 0))
        try await channel.executeThenClose { inbound, outbound in
            // In one piece: a server that has read the whole body may answer and close before a separate end is written.
            let parts: [HTTPPart<HTTPRequestHead, ByteBuffer>] =
                [.head(head)] + [body].compactMap(\.self).map { .body(ByteBuffer(bytes: $0)) } + [.end(nil)]
            do {
                try await outbound.write(contentsOf: parts)
            } catch let error where error is ChannelError || error is IOError {
                // What comes in tells why: a handshake that failed, or an answer before everything was sent.
            }
            for try await part in inbound {
                switch part {
                case .head(let head): try onHead(head)
                case .body(let bytes): try onBody(bytes)
                case .end: return
                }
            }
            throw Failure(description: "the connection ended before the answer did")
        }
    }

    private func connect(
        _ identity: DeviceIdentity?, patience: TimeAmount
    ) async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, ByteBuffer>> {
        let isProxiedAddress = server.serverName == nil && server.proxy != nil
        let tls = try server.tls(identity: identity, checksName: !isProxiedAddress)
        let host = server.host
        let (name, proxy, authority) = (server.serverName, server.proxy, server.authority)
        return try await ClientBootstrap(group: group)
            .connectTimeout(.seconds(10))
            .connect(host: proxy?.host ?? server.host, port: proxy?.port ?? server.devicePort) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(readTimeout: patience))
                    if let proxy { try pipeline.addHandler(ProxyTunnel(to: authority, through: proxy)) }
                    try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                    if isProxiedAddress { try pipeline.addHandler(AddressCheck(host)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(HTTPRequestWriter())
                    try pipeline.addHandler(IdleEnd())
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }
}

/// Ends a connection on which nothing comes.
private final class IdleEnd: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.fireErrorCaught(HTTPSClient.Failure(description: "the server says nothing"))
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
