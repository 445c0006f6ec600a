import NIOCore

/// An HTTP proxy by which the server is reached.
public struct ProxyAddress: Sendable, Hashable {
    /// The proxy's name or address.
    public var host: String
    /// Its port.
    public var port: Int
    /// `user:password`, when it wants one.
    public var credentials: String?

    /// The proxy that `text` names: `host:port` or `user:password@host:port`, with `http://` before it or without.
    public init?(_ text: String) {
        var rest = text[...]
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        if let at = rest.lastIndex(of: "@") {
            credentials = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = ServerAddress.split(rest) else { return nil }
        self.host = host
        self.port = port
    }
}

/// Asks a proxy for a way to the server (CONNECT, RFC 9110, section 9.3.6) before TLS begins: handlers behind this one
/// learn that the channel is active when the proxy has agreed.
final class ProxyTunnel: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private var answer = ByteBuffer()
    private var isOpen = false

    init(to authority: String, through proxy: ProxyAddress) {
        var request = "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n"
        if let credentials = proxy.credentials {
            request += "Proxy-Authorization: Basic \(Array(credentials.utf8).base64)\r\n"
        }
        self.request = request + "\r\n"
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOpen { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        answer.writeBuffer(&bytes)
        switch Self.judge(Array(answer.readableBytesView)) {
        case .incomplete: return
        case .refused(let what): return refuse(context, what)
        case .open(let count):
            isOpen = true
            context.fireChannelActive()
            answer.moveReaderIndex(forwardBy: count)
        }
        if answer.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(answer)) }
        answer = ByteBuffer()
    }

    typealias InboundOut = ByteBuffer

    /// What a proxy's answer means.
    enum Verdict: Hashable {
        /// It has not ended yet.
        case incomplete
        /// The way is open; the answer has so many bytes, and what follows comes from the server.
        case open(Int)
        /// The proxy does something else.
        case refused(String)
    }

    /// What the bytes mean that have come so far.
    static func judge(_ bytes: [UInt8]) -> Verdict {
        let end = Array("\r\n\r\n".utf8)
        guard let place = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
            return bytes.count > AgentLimits.proxyAnswerBytes ? .refused("says too much") : .incomplete
        }
        let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        let words = line.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].count == 3, words[1].first == "2" else {
            return .refused("answered: \(line.prefix(200))")
        }
        return .open(place + end.count)
    }

    private func refuse(_ context: ChannelHandlerContext, _ what: String) {
        context.fireErrorCaught(HTTPSClient.Failure(description: "the proxy \(what)"))
        context.close(promise: nil)
    }
}
