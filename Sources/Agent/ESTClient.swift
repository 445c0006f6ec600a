import FoundationEssentials
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Enrols and renews by EST (RFC 7030).
public struct ESTClient: Sendable {
    /// The server said no, or something that is not EST.
    public struct Failure: Error, CustomStringConvertible {
        /// The HTTP status, or 0 when there was no answer.
        public var status: Int
        /// What the server said.
        public var description: String
    }

    private let server: ServerAddress
    private let group: any EventLoopGroup

    /// A client of `server` on `group`.
    public init(server: ServerAddress, group: any EventLoopGroup) {
        self.server = server
        self.group = group
    }

    /// Enrols with a single-use token and returns the issued certificate as DER.
    public func enrol(tenant: String, device: String, token: String, key: DeviceKey) async throws -> [UInt8] {
        let basic = Data("\(device):\(token)".utf8).base64EncodedString()
        return try await request(
            "/\(tenant)/.well-known/est/simpleenroll", device: device, key: key, identity: nil,
            authorization: "Basic \(basic)")
    }

    /// Renews over the connection's own certificate and returns the new one as DER.
    public func renew(tenant: String, device: String, key: DeviceKey, identity: DeviceIdentity) async throws -> [UInt8]
    {
        try await request(
            "/\(tenant)/.well-known/est/simplereenroll", device: device, key: key, identity: identity,
            authorization: nil)
    }

    /// Asks for the certificates of the tenant's authorities, as DER; any client may.
    public func authorities(of tenant: String) async throws -> [[UInt8]] {
        let headers = HTTPHeaders([("Host", server.host), ("Connection", "close")])
        let path = "/\(tenant)/.well-known/est/cacerts"
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        return try Self.certificates(in: try await exchange(head, body: nil, identity: nil))
    }

    private func request(
        _ path: String, device: String, key: DeviceKey, identity: DeviceIdentity?, authorization: String?
    ) async throws -> [UInt8] {
        let body = Data(try key.certificationRequest(commonName: device)).base64EncodedString()
        var headers = HTTPHeaders([
            ("Host", server.host), ("Content-Type", "application/pkcs10"), ("Content-Length", String(body.utf8.count)),
            ("Connection", "close"),
        ])
        if let authorization { headers.add(name: "Authorization", value: authorization) }
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: headers)
        guard let leaf = try Self.certificates(in: try await exchange(head, body: body, identity: identity)).first
        else {
            throw Failure(status: 200, description: "EST's answer holds no certificate")
        }
        return leaf
    }

    private static func certificates(in answer: (status: Int, body: [UInt8])) throws -> [[UInt8]] {
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200 else {
            throw Failure(status: answer.status, description: "EST answered \(answer.status): \(text)")
        }
        guard let der = Data(base64Encoded: text.filter { !$0.isWhitespace }) else {
            throw Failure(status: answer.status, description: "EST's answer holds no certificate")
        }
        return try CertificateBundle.certificates(inSignedData: Array(der))
    }

    private func exchange(
        _ head: HTTPRequestHead, body: String?, identity: DeviceIdentity?
    ) async throws -> (status: Int, body: [UInt8]) {
        let tls = try server.tls(identity: identity)
        let name = server.serverName
        let channel = try await ClientBootstrap(group: group)
            .connectTimeout(.seconds(10))
            .connect(host: server.host, port: server.devicePort) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: tls, serverHostname: name))
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(HTTPRequestWriter())
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, ByteBuffer>>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            // In one piece: a server that has read the whole body may answer and close before a separate end is written.
            let parts: [HTTPPart<HTTPRequestHead, ByteBuffer>] =
                [.head(head)] + [body].compactMap(\.self).map { .body(ByteBuffer(string: $0)) } + [.end(nil)]
            try await outbound.write(contentsOf: parts)
            var status = 0
            var answer: [UInt8] = []
            for try await part in inbound {
                switch part {
                case .head(let head): status = Int(head.status.code)
                case .body(let bytes): answer.append(contentsOf: bytes.readableBytesView)
                case .end: return (status, answer)
                }
            }
            throw Failure(status: status, description: "the connection ended before EST's answer")
        }
    }
}
