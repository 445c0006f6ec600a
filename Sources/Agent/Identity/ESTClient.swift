import FoundationEssentials
public import NIOCore
import NIOHTTP1

/// Enrols and renews by EST (RFC 7030).
public struct ESTClient: Sendable {
    /// The server said no, or something that is not EST.
    public struct Failure: Error, CustomStringConvertible {
        /// The HTTP status, or 0 when there was no answer.
        public var status: Int
        /// What the server said.
        public var description: String
    }

    private let client: HTTPSClient

    /// A client of `server` on `group`.
    public init(server: ServerAddress, group: any EventLoopGroup) {
        client = HTTPSClient(server: server, group: group)
    }

    init(_ client: HTTPSClient) { self.client = client }

    /// Enrols with a single-use token and returns the issued certificate as DER.
    public func enrol(tenant: String, device: String, token: String, key: DeviceKey) async throws -> [UInt8] {
        let basic = Data("\(device):\(token)".utf8).base64EncodedString()
        return try await request(
            "/\(tenant)/.well-known/est/simpleenroll", device: device, key: key, identity: nil,
            authorization: "Basic \(basic)")
    }

    /// Renews over the connection's own certificate and returns the new one as DER; `channel` asks for the certificate
    /// of another channel (`stream`).
    public func renew(
        tenant: String, device: String, key: DeviceKey, identity: DeviceIdentity, channel: String? = nil
    ) async throws -> [UInt8] {
        try await request(
            "/\(tenant)/.well-known/est/\(channel.map { $0 + "/" } ?? "")simplereenroll", device: device, key: key,
            identity: identity,
            authorization: nil)
    }

    /// Asks for the certificates of the tenant's authorities, as DER; any client may.
    public func authorities(of tenant: String) async throws -> [[UInt8]] {
        try Self.certificates(in: try await client.ask(.GET, "/\(tenant)/.well-known/est/cacerts"))
    }

    private func request(
        _ path: String, device: String, key: DeviceKey, identity: DeviceIdentity?, authorization: String?
    ) async throws -> [UInt8] {
        let body = Data(try key.certificationRequest(commonName: device)).base64EncodedString()
        var headers = HTTPHeaders([("Content-Type", "application/pkcs10")])
        if let authorization { headers.add(name: "Authorization", value: authorization) }
        let answer = try await client.ask(.POST, path, headers: headers, body: Array(body.utf8), identity: identity)
        guard let leaf = try Self.certificates(in: answer).first else {
            throw Failure(status: 200, description: "EST's answer holds no certificate")
        }
        return leaf
    }

    private static func certificates(in answer: HTTPSClient.Answer) throws -> [[UInt8]] {
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200 else {
            throw Failure(status: answer.status, description: "EST answered \(answer.status): \(text)")
        }
        guard let der = Data(base64Encoded: text.filter { !$0.isWhitespace }) else {
            throw Failure(status: answer.status, description: "EST's answer holds no certificate")
        }
        return try CertificateBundle.certificates(inSignedData: Array(der))
    }
}
