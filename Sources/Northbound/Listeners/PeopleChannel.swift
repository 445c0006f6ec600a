import Base
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The people listener's connections: TLS 1.3 with a certificate that can be replaced while the server runs, then
/// HTTP/2 or HTTP/1.1 as agreed in the handshake.
///
/// Hummingbird's own TLS channels keep one certificate for ever, so each replacement builds a new one of them here.
/// Connections that are open keep the one they were made with.
final class PeopleChannel: ServerChildChannel {
    typealias Value = HTTP2UpgradeChannel.Value

    private let current: Mutex<HTTP2UpgradeChannel>
    private let streams: HTTP1Channel.Configuration
    private let responder: HTTPChannelHandler.Responder
    private let asksForCertificates: Bool

    /// Channels whose requests, by whichever version of HTTP, are bounded by `streams`.
    ///
    /// `asksForCertificates` asks each caller for one, which a browser would show to its user as a question.
    init(
        _ configuration: TLSConfiguration, asksForCertificates: Bool = false, streams: HTTP1Channel.Configuration,
        responder: @escaping HTTPChannelHandler.Responder
    ) throws {
        self.streams = streams
        self.responder = responder
        self.asksForCertificates = asksForCertificates
        current = Mutex(try Self.channel(configuration, asksForCertificates, streams, responder))
    }

    /// Uses another certificate for the connections that follow.
    func replace(_ configuration: TLSConfiguration) throws {
        let channel = try Self.channel(configuration, asksForCertificates, streams, responder)
        current.withLock { $0 = channel }
    }

    private static func channel(
        _ configuration: TLSConfiguration, _ asksForCertificates: Bool, _ streams: HTTP1Channel.Configuration,
        _ responder: @escaping HTTPChannelHandler.Responder
    ) throws -> HTTP2UpgradeChannel {
        var configuration = configuration
        // Whatever was handed in: people's browsers and programs all speak 1.3, and the default would be 1.0.
        configuration.minimumTLSVersion = .tlsv13
        // Any certificate will do, as long as the caller has its key: it counts only where a client registered it.
        configuration.certificateVerification = asksForCertificates ? .optionalVerification : .none
        if asksForCertificates { configuration.trustRoots = .certificates([]) }
        configuration.shutdownTimeout = ConnectionEnd.farewell
        var check: TLSChannelConfiguration.CustomVerificationCallback?
        if asksForCertificates { check = { _, promise in promise.succeed(.certificateVerified) } }
        return try HTTP2UpgradeChannel(
            tlsChannelConfiguration: TLSChannelConfiguration(
                tlsConfiguration: configuration, customVerificationCallback: check),
            configuration: HTTP2ChannelConfiguration(
                idleTimeout: .seconds(NorthboundLimits.idleSeconds), gracefulCloseTimeout: .seconds(10),
                streamConfiguration: streams),
            responder: responder)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let value = current.withLock { $0 }.setup(channel: channel, logger: logger)
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ConnectionEnd(), position: .first)
            try pipeline.addHandler(
                HandshakeDeadline(.seconds(Int64(NorthboundLimits.handshakeSeconds))),
                position: .after(try pipeline.handler(type: NIOSSLServerHandler.self)))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return value
    }

    func handle(value: Value, logger: Logger) async {
        await current.withLock { $0 }.handle(value: value, logger: logger)
    }
}

extension HTTP1Channel.Configuration {
    /// Connections with our bounds on headers, idleness and slowness.
    static func bounded(stall: Duration, cutOff: Counter) -> Self {
        Self(
            additionalChannelHandlers: [
                OtherProtocol(), SlowPeerHandler(stall: stall, cutOff: cutOff), RequestProgress(),
            ],
            idleTimeout: .seconds(Int64(NorthboundLimits.idleSeconds)),
            httpDecoderConfiguration: DecoderConfiguration(
                maxHeaderFieldSize: NorthboundLimits.headerBytes, maxHeaderListSize: NorthboundLimits.headerBytes,
                maxHeaderFieldCount: NorthboundLimits.headerFields))
    }
}
