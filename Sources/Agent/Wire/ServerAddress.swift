import NIOCore
public import NIOSSL

/// Where a device's server is and whom it trusts to be it.
public struct ServerAddress: Sendable {
    /// The name or address to connect to, checked against the server's certificate.
    public var host: String
    /// The device listener's port, for EST and HTTPS.
    public var devicePort: Int
    /// The MQTT listener's port.
    public var mqttPort: Int
    /// The server CA that vouches for the server's certificate.
    public var roots: [NIOSSLCertificate]
    /// The proxy by which it is reached over HTTPS, if any.
    public var proxy: ProxyAddress?

    /// A server at these ports whose certificate comes from `roots`.
    public init(
        host: String, devicePort: Int, mqttPort: Int, roots: [NIOSSLCertificate], proxy: ProxyAddress? = nil
    ) {
        self.proxy = proxy
        self.host = host
        self.devicePort = devicePort
        self.mqttPort = mqttPort
        self.roots = roots
    }

    /// The TLS settings of a client of this server, with the device's certificate when it has one.
    public func tls(identity: DeviceIdentity? = nil) throws -> NIOSSLContext {
        try tls(identity: identity, checksName: true)
    }

    /// The same, where `checksName` is false for one who compares the certificate's names himself.
    func tls(identity: DeviceIdentity?, checksName: Bool) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = .certificates(roots)
        if !checksName { configuration.certificateVerification = .noHostnameVerification }
        // An idle server answers a goodbye at once; one that does not is not waited for.
        configuration.shutdownTimeout = .seconds(1)
        if let identity {
            configuration.certificateChain = [.certificate(identity.certificate)]
            configuration.privateKey = .privateKey(identity.privateKey)
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// Host and port as they stand in a request.
    var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(devicePort)" }

    /// The host and port that `text` names: `host:port`, `address:port` or `[address]:port`.
    package static func split(_ text: some StringProtocol) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == "@" }) else { return nil }
        return (String(host), Int(port))
    }

    /// The name for SNI; an address has none.
    var serverName: String? {
        let isAddress = host.contains(":") || host.split(separator: ".").allSatisfy { UInt8($0) != nil }
        return isAddress ? nil : host
    }
}

/// What a device proves itself with: its certificate and the key behind it.
public struct DeviceIdentity: Sendable {
    /// The leaf certificate; the server knows its issuer.
    public var certificate: NIOSSLCertificate
    /// The private key.
    public var privateKey: NIOSSLPrivateKey

    /// An identity from a DER certificate and its key.
    public init(certificate: [UInt8], key: DeviceKey) throws {
        self.certificate = try NIOSSLCertificate(bytes: certificate, format: .der)
        privateKey = try NIOSSLPrivateKey(bytes: Array(key.pem.utf8), format: .pem)
    }
}
