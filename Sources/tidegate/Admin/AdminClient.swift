import Agent
import Base
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import OAuth

/// Sends requests of the API and takes the answers, one connection each.
struct AdminClient: Sendable {
    /// What a request does.
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// What a request carries.
    enum Body: Sendable {
        case none
        case json(JSONValue)
        /// A form, for the authorization server.
        case form([String: String])
        /// A file, sent as it is read.
        case file(String, mediaType: String)
        /// The rest of a file, for an upload that stands at its beginning.
        case part(FilePart)
    }

    /// The rest of a file.
    struct FilePart: Sendable {
        let path: String
        /// Where it begins.
        let offset: Int64
        /// Bytes of the whole file.
        let size: Int64
        /// Is told up to where the file was sent.
        let progress: @Sendable (Int64) -> Void
    }

    /// How long a server may take to accept a connection.
    private static let connectTimeout = TimeAmount.seconds(10)
    /// Bytes of an answer that is taken whole.
    private static let answerBytes = 64 << 20

    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, ByteBuffer>>

    private let target: AdminTarget

    /// A client of this server.
    init(_ target: AdminTarget) {
        self.target = target
    }

    /// Sends a request and takes its answer whole; null when there is none.
    func send(
        _ method: Method, _ path: String, _ body: Body = .none, headers: [(String, String)] = []
    ) async throws -> JSONValue {
        var bytes: [UInt8] = []
        try await stream(method, path, body, headers: headers) { part in
            guard bytes.count + part.readableBytes <= Self.answerBytes else {
                throw AdminFailure("The answer is larger than \(Self.answerBytes) bytes.")
            }
            bytes += part.readableBytesView
        }
        return try Self.json(bytes)
    }

    private static func json(_ bytes: [UInt8]) throws -> JSONValue {
        if bytes.isEmpty { return .null }
        do {
            return try JSONValue(parsing: bytes, limits: JSONLimits(bytes: answerBytes, depth: 64))
        } catch {
            throw AdminFailure("The answer is no JSON: \(error.message). Is this a Tidegate server?")
        }
    }

    /// Sends a request and hands on the bytes of a successful answer as they arrive.
    func stream(
        _ method: Method, _ path: String, _ body: Body = .none, accept: String = "application/json",
        headers: [(String, String)] = [], _ receive: (ByteBuffer) throws -> Void
    ) async throws {
        let connection = try await connect()
        var problem: [UInt8] = []
        var status = HTTPResponseStatus.ok
        do {
            try await connection.executeThenClose { inbound, outbound in
                do {
                    try await write(method, path, body, [("accept", accept)] + headers, to: outbound)
                } catch let error where error is ChannelError || error is IOError {
                    // Who refuses a file may do so before it is whole: then the answer is there already.
                }
                for try await part in inbound {
                    switch part {
                    case .head(let head): status = head.status
                    case .body(let bytes) where status.code < 300: try receive(bytes)
                    case .body(let bytes): if problem.count < 1 << 20 { problem += bytes.readableBytesView }
                    case .end: return
                    }
                }
                throw AdminFailure("The server closed the connection before its answer was whole.")
            }
        } catch let error where error is NIOSSLError || error is BoringSSLError {
            // The handshake comes after the connection, so this is where a certificate proves wrong.
            throw AdminFailure(unreachable(error), isUnreachable: true)
        }
        guard status.code < 300 else { throw AdminRefusal(status: Int(status.code), try Self.json(problem)) }
    }

    private func write(
        _ method: Method, _ path: String, _ body: Body, _ headers: [(String, String)],
        to outbound: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPRequestHead, ByteBuffer>>
    ) async throws {
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method.rawValue), uri: path)
        head.headers.add(name: "host", value: hostField)
        head.headers.add(contentsOf: headers)
        head.headers.add(name: "connection", value: "close")
        if case .https(_, _, let token, _) = target, !token.isEmpty {
            head.headers.add(name: "authorization", value: "Bearer \(token)")
        }
        switch body {
        case .none:
            if method != .get { head.headers.add(name: "content-length", value: "0") }
            try await outbound.write(contentsOf: [.head(head), .end(nil)])
        case .json(let value):
            try await write(head, value.canonical, "application/json", to: outbound)
        case .form(let values):
            try await write(head, FormText.text(values), "application/x-www-form-urlencoded", to: outbound)
        case .file(let path, let mediaType):
            head.headers.add(name: "content-type", value: mediaType)
            head.headers.add(name: "transfer-encoding", value: "chunked")
            try await outbound.write(.head(head))
            for try await bytes in try FileBytes(path) { try await outbound.write(.body(bytes)) }
            try await outbound.write(.end(nil))
        case .part(let part):
            head.headers.add(name: "content-type", value: "application/offset+octet-stream")
            head.headers.add(name: "upload-offset", value: "\(part.offset)")
            head.headers.add(name: "content-length", value: "\(part.size - part.offset)")
            try await outbound.write(.head(head))
            var place = part.offset
            for try await bytes in try FileBytes(part.path, from: part.offset) {
                try await outbound.write(.body(bytes))
                place += Int64(bytes.readableBytes)
                part.progress(place)
            }
            try await outbound.write(.end(nil))
        }
    }

    /// In one piece: a server that has read the whole body may answer and close before a separate end is written.
    private func write(
        _ head: HTTPRequestHead, _ text: String, _ mediaType: String,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPRequestHead, ByteBuffer>>
    ) async throws {
        var head = head
        head.headers.add(name: "content-type", value: mediaType)
        head.headers.add(name: "content-length", value: String(text.utf8.count))
        try await outbound.write(contentsOf: [.head(head), .body(ByteBuffer(string: text)), .end(nil)])
    }

    private var hostField: String {
        switch target {
        case .socket: "localhost"
        case .https(let host, let port, _, _): port == 443 ? host : "\(host):\(port)"
        }
    }

    private func connect() async throws -> Connection {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(Self.connectTimeout)
        do {
            switch target {
            case .socket(let path):
                return try await bootstrap.connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.configure(channel, nil, "") }
                }
            case .https(let host, let port, _, let trust):
                let context = try Self.context(trust)
                return try await bootstrap.connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.configure(channel, context, host) }
                }
            }
        } catch let error as AdminFailure {
            throw error
        } catch {
            throw AdminFailure(unreachable(error), isUnreachable: true)
        }
    }

    private static func context(_ trust: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["http/1.1"]
        if let trust {
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(trust))
            } catch {
                throw AdminFailure("\(trust) holds no certificates in PEM form that can be read.")
            }
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func configure(_ channel: any Channel, _ tls: NIOSSLContext?, _ host: String) throws -> Connection {
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            // An IP address can not be a server name of TLS; the certificate is checked against it all the same.
            let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
        }
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(HTTPRequestWriter())
        return try Connection(wrappingChannelSynchronously: channel)
    }

    private func unreachable(_ error: any Error) -> String {
        switch target {
        case .socket(let path):
            let error = error as? IOError
            if error?.errnoCode == EACCES {
                return "You may not open \(path). Run this as the server's own user (sudo -u tidegate …) or as root."
            }
            return "No server answers at \(path). Start one with `tidegate serve --data …`, or name its directory with "
                + "--data, or another machine's address with --url."
        case .https(let host, let port, _, let trust):
            let hint =
                error is NIOSSLError || error is BoringSSLError
                ? (trust == nil ? " If its certificate is Tidegate's own, give --ca trust/server-ca.pem." : "") : ""
            let reason =
                "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
                ? "the server's certificate is not trusted" : "\(error)"
            return "No TLS connection to \(host):\(port): \(reason).\(hint)"
        }
    }
}
