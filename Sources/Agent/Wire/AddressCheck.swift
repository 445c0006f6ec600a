import Glibc
import NIOCore
import NIOSSL
import NIOTLS
import SwiftASN1
import X509

/// Compares the server's certificate with the address that was asked for, where a proxy lies between: TLS would compare it
/// with the proxy's, which is the other end of the connection.
///
/// Nothing that is sent leaves before that, and nothing that comes is read.
final class AddressCheck: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private let address: [UInt8]?
    private let host: String
    private var waiting: [(NIOAny, EventLoopPromise<Void>?)] = []
    private var isFlushed = false
    private var isGood = false

    init(_ host: String) {
        self.host = host
        address = Self.bytes(of: host)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isGood { context.write(data, promise: promise) } else { waiting.append((data, promise)) }
    }

    func flush(context: ChannelHandlerContext) {
        if isGood { context.flush() } else { isFlushed = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent, !isGood {
            let leaf = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self).peerCertificate
            guard let bytes = try? leaf?.toDERBytes(), Self.names(bytes, address) else {
                context.fireErrorCaught(
                    HTTPSClient.Failure(description: "the server's certificate is not for \(host)"))
                return context.close(promise: nil)
            }
            isGood = true
            for (data, promise) in waiting { context.write(data, promise: promise) }
            waiting = []
            if isFlushed { context.flush() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isGood { context.fireChannelRead(data) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { fail() }

    private func fail() {
        for (_, promise) in waiting { promise?.fail(ChannelError.ioOnClosedChannel) }
        waiting = []
    }

    /// Whether a certificate is for this address.
    static func names(_ certificate: [UInt8], _ address: [UInt8]?) -> Bool {
        guard let address, let certificate = try? Certificate(derEncoded: certificate),
            let names = try? certificate.extensions.subjectAlternativeNames
        else { return false }
        return names.contains { name in
            if case .ipAddress(let octets) = name { Array(octets.bytes) == address } else { false }
        }
    }

    /// An address in numbers as a certificate has it: four bytes, or sixteen.
    static func bytes(of host: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, host, &bytes) == 1 { return bytes }
        }
        return nil
    }
}
